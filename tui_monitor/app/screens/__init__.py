"""Dialogs and pages laid over the monitor."""
