"""Kinds of model beside what is promised of each, as one table and its checks."""
