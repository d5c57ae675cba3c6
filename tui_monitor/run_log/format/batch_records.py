"""Batch records as arrays, and which of them can be believed."""

import numpy as np
from numpy.typing import NDArray

Records = NDArray[np.void]
"""Batch records of one fit, with the fit's `dtype`, shape (batches,)."""


def is_plausible(records: Records) -> NDArray[np.bool_]:
    """Return which records a training can have written: not those zeroed by a crash or overwritten."""
    times = records["time"]
    is_good: NDArray[np.bool_] = np.isfinite(times) & (times >= 0) & (records["epoch"] > 0)
    return is_good
