"""Rows of one epoch become its values: what was logged for the epoch counts, else the mean of its readings."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_STEP = "_step"
TEST_PREFIX = "test_"


@dataclass
class EpochReadings:
    """All readings of one epoch so far; plain values."""

    sums: dict[str, float] = field(default_factory=dict)
    """Sum of each value's readings."""
    newest: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    own: dict[str, float] = field(default_factory=dict)
    """Values logged for the epoch as a whole."""
    rows: int = 0

    def add(self, metrics: dict[str, float]) -> None:
        """Take one row's values; they are the readings' own from then on."""
        self.rows += 1
        if self.rows == 1:
            # Most tables have one row an epoch: it needs no sums.
            self.newest = metrics
            return
        if self.rows == 2:
            self.newest = dict(self.newest)
            self.sums, self.counts = dict(self.newest), dict.fromkeys(self.newest, 1)
        for name, value in metrics.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
            self.counts[name] = self.counts.get(name, 0) + 1
            self.newest[name] = value

    def add_own(self, metrics: Mapping[str, float]) -> None:
        """Take values that were logged for the epoch as a whole."""
        self.own.update(metrics)

    def holds_any(self, names: Iterable[str]) -> bool:
        """Return whether one of the values has been read already."""
        return any(name in self.newest or name in self.own for name in names)

    def __bool__(self) -> bool:
        return bool(self.newest or self.own)

    @property
    def is_test(self) -> bool:
        """Whether there is nothing but metrics of a test set: that is no epoch."""
        if not self.own and not next(iter(self.newest), "").startswith(TEST_PREFIX):
            return False
        return bool(self) and all(name.startswith(TEST_PREFIX) for name in (*self.newest, *self.own))

    def metrics(self) -> tuple[dict[str, float], tuple[str, ...]]:
        """Return the epoch's values, and the names of those that are means of several readings."""
        if self.rows == 1 and not self.own and not any(name.endswith(_STEP) for name in self.newest):
            return self.newest, ()
        named = dict(self.own)
        means = []
        if self.rows == 1:
            self.counts = dict.fromkeys(self.newest, 1)
        for name in self.counts:
            if name.endswith(_STEP) and len(name) > len(_STEP):
                continue
            if name in named:
                continue
            named[name] = self._mean(name)
            if self.counts[name] > 1 and not math.isclose(named[name], self.newest[name]):
                means.append(name)
        for name in self.counts:
            plain = name.removesuffix(_STEP)
            if plain != name and plain and plain not in named:
                named[plain] = self._mean(name)
                if self.counts[name] > 1:
                    means.append(plain)
        return named, tuple(means)

    @property
    def fewest(self) -> int:
        """The fewest readings that any value has."""
        return min(self.counts.values(), default=min(self.rows, 1))

    def breaks_off(self, names: Iterable[str], fewest: int) -> str:
        """Return what the last epoch of a table of steps lacks that the epoch before had, in words; often nothing.

        Args:
            names: of the values of the epoch before.
            fewest: readings that any of them had.
        """
        lost = [name for name in names if name not in self.metrics()[0]]
        if lost:
            return f"it has no {', '.join(lost)}"
        if self.fewest < fewest and not self.own:
            return f"it has {self.fewest} readings of a value, and the epoch before {fewest}"
        return ""

    def _mean(self, name: str) -> float:
        count = self.counts[name]
        return self.newest[name] if count == 1 else self.sums[name] / count
