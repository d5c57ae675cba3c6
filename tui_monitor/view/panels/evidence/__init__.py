"""The views of what lies behind the explanation."""
