"""How sure a check has to be: each is raised by chance in about one run of 10 000, so that many of them stay silent."""

import math
from typing import Final

import numpy as np

from tui_monitor.explain.samples.probes import FloatArray

SURE: Final = 1e-5
"""Probability of raising one check by chance."""
SURE_DEVIATIONS: Final = 4.5
FEWEST: Final = 30
"""Samples below which nothing is said."""


def is_larger(changes: FloatArray) -> bool:
    """Whether the mean of independent values is above 0 for sure.

    Args:
        changes: shape (n,), at least one.
    """
    error = float(np.std(changes)) / math.sqrt(changes.size)
    return error > 0 and float(changes.mean()) / error > SURE_DEVIATIONS
