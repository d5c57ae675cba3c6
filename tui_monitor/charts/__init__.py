"""Arrays in, a grid of (character, style name) cells out: no files, no screen, no state."""
