"""Rows of styled text: measured by display width, wrapped, spread and filled; open `rows` first."""
