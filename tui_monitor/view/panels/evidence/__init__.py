"""The views of what lies behind the explanation, one at a time; open `panel` first, which picks by the view state."""
