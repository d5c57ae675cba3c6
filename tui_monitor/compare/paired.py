"""The difference of two means with its interval: over the same samples, pair by pair, or over different ones."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_monitor.explain.quantiles import NORMAL_QUANTILE, QUANTILE_WORTH_A_CAUSE

Values = NDArray[np.floating]

LEAST_SAMPLES = 20
"""Below so many samples an interval of this kind says too little to be shown."""


@dataclass(frozen=True)
class Difference:
    """How much more the second run has than the first, in the unit of the values."""

    first: float
    """Mean of the first run."""
    second: float
    """Mean of the second run."""
    value: float
    """Second minus first."""
    low: float | None = None
    """Lower end of the 95 % interval; None where there is none."""
    high: float | None = None
    """Upper end."""
    error: float | None = None
    """Standard error of `value`."""
    samples: int = 0
    """Of the smaller side."""
    is_paired: bool = False
    """Whether both are over the same samples."""

    @property
    def is_worth_naming(self) -> bool:
        """Whether chance would give so much in one of two hundred comparisons at most."""
        if self.error is None:
            return False
        return self.value != 0 and abs(self.value) > QUANTILE_WORTH_A_CAUSE * self.error

    @property
    def excludes_zero(self) -> bool:
        """Whether its interval does: more than one in twenty would show by chance, less than is worth naming."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def samples_to_settle(self) -> int | None:
        """Samples with which a difference of this size would be worth naming; None where no number tells."""
        if self.error is None or not self.value or not math.isfinite(self.error):
            return None
        needed = self.samples * (QUANTILE_WORTH_A_CAUSE * self.error / self.value) ** 2
        return math.ceil(needed) if needed < 1e9 else None


def paired_difference(first: Values, second: Values) -> Difference:
    """Return the difference of two means over the same samples.

    The interval is Student's t over the differences of each sample, which counts what both runs find hard only once.

    Args:
        first: of each sample, shape (n,), finite.
        second: of the same samples in the same order.
    """
    change = second.astype(np.float64) - first.astype(np.float64)
    count = change.size
    value = float(change.mean())
    plain = Difference(float(first.mean()), float(second.mean()), value, samples=count, is_paired=True)
    if count < LEAST_SAMPLES:
        return plain
    error = float(change.std(ddof=1) / math.sqrt(count))
    return _with_interval(plain, value, error, count - 1)


def paired_fractions(first: Values, second: Values) -> Difference:
    """Return the difference of two fractions of right answers over the same samples.

    The interval is Agresti and Min's (Statistics in Medicine 24, 2005): half a sample is added to each of the four
    ways in which two runs may be right and wrong, which keeps its coverage where hardly any sample changes sides.

    Args:
        first: 1 where the first run is right, else 0, shape (n,); other values are compared as means are.
        second: of the same samples in the same order.
    """
    is_binary = bool(np.isin(first, (0, 1)).all() and np.isin(second, (0, 1)).all())
    if not is_binary or first.size < LEAST_SAMPLES:
        return paired_difference(first, second)
    count = first.size
    mended, broken = float((second > first).sum()), float((second < first).sum())
    plain = Difference(
        float(first.mean()), float(second.mean()), (mended - broken) / count, samples=count, is_paired=True
    )
    more, less, total = mended + 0.5, broken + 0.5, count + 2
    centre = (more - less) / total
    error = math.sqrt(more + less - (more - less) ** 2 / total) / total
    return _with_interval(plain, centre, error, None)


def unpaired_difference(first: Values, second: Values) -> Difference:
    """Return the difference of two means over different samples; the interval is Welch's.

    Args:
        first: of each sample of the first run, shape (n,), finite.
        second: of the second run's, shape (m,).
    """
    value = float(second.mean() - first.mean())
    smaller = min(first.size, second.size)
    plain = Difference(float(first.mean()), float(second.mean()), value, samples=smaller)
    if smaller < LEAST_SAMPLES:
        return plain
    parts = [float(side.astype(np.float64).var(ddof=1)) / side.size for side in (first, second)]
    spread = sum(parts)
    below = sum(part**2 / (side.size - 1) for part, side in zip(parts, (first, second), strict=True))
    return _with_interval(plain, value, math.sqrt(spread), spread**2 / below if below else None)


def _with_interval(plain: Difference, centre: float, error: float, freedom: float | None) -> Difference:
    half = student_quantile(freedom) * error
    return Difference(
        plain.first, plain.second, plain.value, centre - half, centre + half, error, plain.samples, plain.is_paired
    )


def student_quantile(freedom: float | None) -> float:
    """Return the 97.5 % quantile of Student's t (Abramowitz and Stegun 26.7.5); the normal one for None.

    Args:
        freedom: degrees of freedom, 10 or more.
    """
    z = NORMAL_QUANTILE
    if freedom is None:
        return z
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
