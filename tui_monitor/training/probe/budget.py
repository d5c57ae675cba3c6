"""How much measuring may cost: a fraction of training time, the first measurement excepted."""

import sys
from dataclasses import dataclass

FIRST_PROBE_SAMPLES = 3072
"""Samples measured before any cost is known."""
FEWEST_BATCHES = 4
"""A probe of fewer batches says too little to be worth its fixed cost."""

_TRACING_SHARE = 0.05
"""Of training time that building probes for one `fit` after another may take."""
_SPENT_AT_ONCE = 0.7
"""Part of what is left that one probe may take, so that a wrong estimate does not cost the next epoch its probe."""


@dataclass
class ProbeBudget:
    """Accounts for probes against a fraction of training time. All times in seconds."""

    fraction: float = 0.02
    """Of training time that measuring may take in steady state; 0 turns probes off, 1 measures everything."""
    spent: float = 0.0
    """Seconds of measuring so far, one-time tracing left out."""
    tracing: float = 0.0
    """Seconds of building the probe's functions."""
    _first: float = 0.0
    """What the very first probe took, which is owed whatever the share."""
    _fixed: float | None = None
    _per_batch: float = 0.0

    @property
    def enabled(self) -> bool:
        """Whether there is any budget at all."""
        return self.fraction > 0

    def batches_allowed(self, training_seconds: float, samples_per_batch: float, *, begins: bool) -> int:
        """Return how many batches the next probe may measure; 0 when it must wait.

        Args:
            training_seconds: time spent training so far, measuring left out.
            samples_per_batch: mean size of the epoch's batches.
            begins: whether this `fit` was not measured yet: then it may cost tracing, unless tracing for earlier
                `fit` calls took too much already.
        """
        if not self.enabled:
            return 0
        if self.fraction >= 1:
            return sys.maxsize
        first = max(FEWEST_BATCHES, int(FIRST_PROBE_SAMPLES / max(samples_per_batch, 1.0)))
        if self._fixed is None:
            return first
        steady = self.spent - self._first
        left = _SPENT_AT_ONCE * (self.fraction * training_seconds - steady) - self._fixed
        if left < self._per_batch * FEWEST_BATCHES:
            return FEWEST_BATCHES if begins and self.tracing <= _TRACING_SHARE * training_seconds else 0
        return int(left / max(self._per_batch, 1e-9))

    def traced(self, seconds: float) -> None:
        """Account for a first measurement, which is mostly tracing."""
        self.tracing += seconds

    def written(self, seconds: float) -> None:
        """Account for writing down what was measured, which is owed like the first measurement if it was that."""
        if self.spent == self._first:
            self._first += seconds
        self.spent += seconds

    def measured(self, seconds: float, forward_seconds: float, batches: int) -> None:
        """Account for a measurement.

        Args:
            seconds: all of it.
            forward_seconds: the part that grows with the batches measured.
            batches: how many were measured, at least 1.
        """
        self.spent += seconds
        fixed, per_batch = seconds - forward_seconds, forward_seconds / batches
        if self._fixed is None:
            # What was spent before it belongs to it, as copies of weights do.
            self._first, self._fixed, self._per_batch = self.spent, fixed, per_batch
        else:
            self._fixed = 0.7 * self._fixed + 0.3 * fixed
            self._per_batch = 0.7 * self._per_batch + 0.3 * per_batch
