"""Means of what the batches of one epoch of a loop logged, metric by metric."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class EpochMeans:
    """Sums over the batches that gave a metric; they count by their size where every one has told it."""

    batches: int = 0
    samples: int = 0
    _sized: bool = True
    _sums: dict[str, float] = field(default_factory=dict)
    _weighted: dict[str, float] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _weights: dict[str, int] = field(default_factory=dict)

    def add(self, values: Mapping[str, float], size: int | None) -> None:
        """Take a batch.

        Args:
            values: metric names to the batch's own values.
            size: samples in the batch; None where it is not known.
        """
        self.batches += 1
        self.samples += size or 0
        self._sized &= bool(size)
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._weighted[name] = self._weighted.get(name, 0.0) + value * (size or 0)
            self._counts[name] = self._counts.get(name, 0) + 1
            self._weights[name] = self._weights.get(name, 0) + (size or 0)

    def means(self) -> dict[str, float]:
        """Return the mean of each metric; NaN where a batch's was."""
        sums, counts = (self._weighted, self._weights) if self._sized else (self._sums, self._counts)
        return {name: total / counts[name] if counts[name] else math.nan for name, total in sums.items()}
