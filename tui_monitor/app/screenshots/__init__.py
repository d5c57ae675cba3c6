"""The screen as a file: run without a terminal until it is settled, then as SVG or as text; open `screenshot` first."""
