"""Thin widgets over pure functions."""
