"""The screen as a file."""
