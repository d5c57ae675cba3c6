"""Whether numbers have fewer digits than float32, and whether what a model computes with fewer digits matters."""

import math
from typing import Final

import numpy as np

from tui_monitor.explain.evidence.check_results import RoundingFelt
from tui_monitor.explain.evidence.sureness import FEWEST, SURE_DEVIATIONS
from tui_monitor.explain.samples.observed import Observed
from tui_monitor.explain.samples.probes import FloatArray

_FEWEST_VALUES: Final = 64
"""Different values that show how many digits a side has: each of float32 fits float16 in one case of 8192."""
_ROUNDED: Final = 0.99
_FELT: Final = 0.01
"""Part of the larger side's loss that rounding must change to be worth a word."""
_GRID: Final = 256
"""Values that are whole multiples of 1/256, as counts and pixels are, fit narrow types by themselves."""


def narrow_type(values: FloatArray) -> str | None:
    """Return the narrow type that nearly all values fit, empty where they need float32; None where too few tell.

    Args:
        values: of any shape.
    """
    finite = np.unique(values[np.isfinite(values)])
    finite = finite[finite * _GRID != np.round(finite * _GRID)]
    if finite.size < _FEWEST_VALUES or 2 * finite.size < np.unique(values).size:
        return None
    with np.errstate(over="ignore"):
        single = finite.astype(np.float32)
        # bfloat16 is the upper half of a float32; most of its values fit float16, too.
        if ((single.view(np.uint32) & np.uint32(0xFFFF)) == 0).mean() >= _ROUNDED:
            return "bfloat16"
        return "float16" if (single.astype(np.float16).astype(np.float32) == single).mean() >= _ROUNDED else ""


def rounding_felt(observed: Observed) -> RoundingFelt | None:
    """Find losses that computing in float32 would change, beyond what chance and single samples give."""
    again = observed.rerun
    if again is None or again.training is None or again.validation is None:
        return None
    sides = again.training, again.validation
    overflowed = [int((~np.isfinite(narrow) & np.isfinite(wide)).sum()) for narrow, wide in sides]
    finite = [both[:, np.isfinite(both).all(axis=0)] for both in map(np.array, sides)]
    means = [(_mean(narrow), _mean(wide)) for narrow, wide in finite]
    loss = max((abs(wide) for _, wide in means if math.isfinite(wide)), default=0.0)
    if not any(overflowed) and not any(_is_felt(narrow - wide, loss) for narrow, wide in finite):
        return None
    return RoundingFelt(again.dtype, means[0], means[1], (overflowed[0], overflowed[1]))


def _mean(losses: FloatArray) -> float:
    return float(losses.mean()) if losses.size else math.nan


def _is_felt(change: FloatArray, loss: float) -> bool:
    """Whether the mean change is large against the loss and against what it would be by chance."""
    if change.size < FEWEST:
        return False
    mean = abs(float(change.mean()))
    return mean > _FELT * loss and mean > SURE_DEVIATIONS * float(np.std(change)) / math.sqrt(change.size)
