"""Thin widgets over the rows of `view` and the grids of `charts`; open `cells_view` first: the rest builds on it."""
