"""Tables as CSV and JSON lines; a value is written with as many digits as give the same value back."""

import csv
from typing import Any, TextIO

import numpy as np

from tui_monitor.export.tables import Column, Table
from tui_monitor.run_log.format.strict_json import encode


def write_csv(table: Table, file: TextIO) -> None:
    """Write a header and one row an entry; an absent value is an empty cell, NaN is `nan`.

    Raises:
        OSError: the file can't be written.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns)
    for block in table.blocks:
        writer.writerows(zip(*map(_cells, block), strict=True))


def write_jsonl(table: Table, file: TextIO) -> None:
    """Write one object a line; an absent value has no key, NaN and the infinities are strings.

    Raises:
        OSError: the file can't be written.
    """
    for block in table.blocks:
        for row in zip(*map(_values, block), strict=True):
            entries = {name: value for name, value in zip(table.columns, row, strict=True) if value is not None}
            file.write(encode(entries).decode() + "\n")


def _cells(column: Column) -> list[str]:
    texts: list[str] = np.asarray(column).astype(str).tolist()
    for index in np.flatnonzero(np.ma.getmaskarray(column)).tolist():
        texts[index] = ""
    return texts


def _values(column: Column) -> list[Any]:
    """Return plain values, float32 with its own few digits rather than those of its double."""
    values: list[Any] = np.asarray(column).tolist()
    if column.dtype == np.float32:
        values = [float(text) for text in np.asarray(column).astype(str).tolist()]
    for index in np.flatnonzero(np.ma.getmaskarray(column)).tolist():
        values[index] = None
    return values
