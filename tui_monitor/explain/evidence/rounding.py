"""Whether numbers have fewer digits than float32: all of them fit float16 or bfloat16, though they are on no grid."""

from typing import Final

import numpy as np

from tui_monitor.explain.samples.probes import FloatArray

_FEWEST_VALUES: Final = 64
"""Different values that show how many digits a side has: each of float32 fits float16 in one case of 8192."""
_ROUNDED: Final = 0.99
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
