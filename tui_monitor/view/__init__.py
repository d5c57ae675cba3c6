"""From a snapshot, what the user chose to look at and a size, to rows and cells: pure, and free of Textual."""
