"""How many cells a text takes: measured by the function with which Textual crops rows, so that both always agree."""

from rich.cells import cell_len, set_cell_size

__all__ = ["cell_len", "set_cell_size"]
