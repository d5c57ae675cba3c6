"""Pure functions from a snapshot and a size to rows of styled text; none of them knows the screen."""
