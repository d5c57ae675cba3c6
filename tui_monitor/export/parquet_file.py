"""Tables as Parquet, by way of Apache Arrow's own library."""

import importlib.util
from typing import Any, BinaryIO

import numpy as np

from tui_monitor.errors import DependencyMissing
from tui_monitor.export.tables import Column, Table


def write_parquet(table: Table, file: BinaryIO) -> None:
    """Write one row an entry; an absent value is null, NaN is NaN.

    Raises:
        DependencyMissing: pyarrow is not installed.
        OSError: the file can't be written.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise DependencyMissing(
            "Parquet files need pyarrow, which is not installed. Install it with: pip install 'tui-monitor[parquet]'"
        )
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    writer: Any = None
    try:
        for block in table.blocks:
            arrays = [_array(pa, column) for column in block]
            piece = pa.Table.from_arrays(arrays, names=list(table.columns))
            writer = writer or parquet.ParquetWriter(file, piece.schema)
            writer.write_table(piece)
    finally:
        if writer is not None:
            writer.close()


def _array(arrow: Any, column: Column) -> Any:
    values = np.ascontiguousarray(np.asarray(column))
    return arrow.array(values, mask=np.ma.getmaskarray(column), from_pandas=False)
