"""The terminal itself: what is sent to it, how fast, and how it is left."""
