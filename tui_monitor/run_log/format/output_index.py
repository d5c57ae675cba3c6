"""One entry of `output.times`: a run time, and how long `output.log` was by then."""

import struct
from typing import Any

import numpy as np

MARK_TYPE: np.dtype[Any] = np.dtype([("time", "<f8"), ("bytes", "<u8")])
"""Seconds since the run began, and the bytes that `output.log` held then."""
MARK = struct.Struct("<dQ")
"""The same, as it is packed."""
