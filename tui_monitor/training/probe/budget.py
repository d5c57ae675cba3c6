"""How much measuring may cost: a fraction of training time and some seconds, the first measurement excepted.

The seconds are for short trainings, where the fraction would come to nothing. They go where they tell most: into
building what measures each `fit`, and into the last epoch of each, whose explanation stays. `batches_allowed` decides
what a measurement may cost; `can_begin`, whether a fit may be measured at all.
"""

import sys
import time
from dataclasses import dataclass

FIRST_PROBE_SAMPLES = 3072
"""Samples measured before any cost is known."""
FEWEST_BATCHES = 4
"""A probe of fewer batches says too little to be worth its fixed cost."""

_BEGINNING_FRACTION = 0.03
"""Of training time that one `fit` after another may take to build its probe and to measure for the first time."""
_FIRST_AFTER_SECONDS = 2.0
"""Training before the first probe of a process; building one for a shorter fit would take a good part of its time."""
_SECONDS_AT_ONCE = 0.5
"""Part of the seconds left that the last epoch of one `fit` may take, so that the next one has some, too."""
_SPENT_AT_ONCE = 0.7
"""Part of what is left that one probe may take, so that a wrong estimate does not cost the next epoch its probe."""


@dataclass
class ProbeBudget:
    """Accounts for probes against a fraction of training time. All times in seconds."""

    fraction: float = 0.02
    """Of training time that measuring may take in steady state; 0 turns probes off, 1 measures everything."""
    seconds: float = 0.0
    """Seconds that measuring may take in addition to the fraction, in the whole run."""
    spent: float = 0.0
    """Seconds of measuring so far, one-time tracing left out."""
    tracing: float = 0.0
    """Seconds of building the probe's functions."""
    _built: int = 0
    """Times that functions were built."""
    _first_tracing: float = 0.0
    """What the first of them took, which is allowed whatever the fraction."""
    _first: float = 0.0
    """What the very first probe took, which is allowed whatever the fraction."""
    _fixed: float | None = None
    _per_batch: float = 0.0

    @property
    def enabled(self) -> bool:
        """Whether there is any budget at all."""
        return self.fraction > 0

    @property
    def knows_cost(self) -> bool:
        """Whether anything was measured yet, so that the cost of the next measurement is known."""
        return self._fixed is not None

    @property
    def why_not(self) -> str:
        """Why a `fit` was not measured at all, as the end of a sentence."""
        seconds = f" and the {self.seconds:g} s of --probe-seconds" if self.seconds else ""
        return (
            f"it would have cost more than the {self.fraction * 100:g} % of training time of --probe-budget{seconds}."
        )

    def seconds_left(self, training_seconds: float) -> float:
        """Return how much is left of `seconds`; what the fraction has come to allow by now counts as not taken.

        Args:
            training_seconds: time spent training so far, measuring left out.
        """
        measuring = self._steady - self.fraction * training_seconds
        tracing = self.tracing - _BEGINNING_FRACTION * training_seconds
        return max(self.seconds - max(measuring, 0.0) - max(tracing, 0.0), 0.0)

    def batches_allowed(
        self,
        training_seconds: float,
        samples_per_batch: float,
        *,
        begins: bool,
        builds: bool = True,
        is_last: bool = False,
    ) -> int:
        """Return how many batches the next probe may measure; 0 when it must wait.

        Args:
            training_seconds: time spent training so far, measuring left out.
            samples_per_batch: mean size of the epoch's batches.
            begins: whether this `fit` was not measured yet.
            builds: whether its probe is still to be built then.
            is_last: whether no epoch of this `fit` is known to follow.
        """
        if not self.enabled:
            return 0
        if self.fraction >= 1:
            return sys.maxsize
        can_begin = self.can_begin(training_seconds, builds=begins and builds)
        if self._fixed is None:
            first = max(FEWEST_BATCHES, int(FIRST_PROBE_SAMPLES / max(samples_per_batch, 1.0)))
            return first if can_begin else 0
        # What is left of the fraction pays for measuring alone; building the passes has to be affordable, too.
        if begins and builds and not can_begin:
            return 0
        left = _SPENT_AT_ONCE * (self.fraction * training_seconds - self._steady)
        if is_last:
            left = max(left, 0.0) + _SECONDS_AT_ONCE * self.seconds_left(training_seconds)
        left -= self._fixed
        if left < self._per_batch * FEWEST_BATCHES:
            # On credit, once for each fit: `can_begin` bounds what all fits may owe together.
            return FEWEST_BATCHES if begins and can_begin else 0
        return int(left / max(self._per_batch, 1e-9))

    def can_begin(self, training_seconds: float, *, builds: bool) -> bool:
        """Return whether a fit that was not measured yet may be measured, even beyond the fraction.

        Args:
            training_seconds: time spent training so far, measuring left out.
            builds: whether its probe is still to be built, which takes about as long as for the fits before.
        """
        if self._fixed is None:
            return self.seconds > 0 or training_seconds >= _FIRST_AFTER_SECONDS
        building = self.tracing / max(self._built, 1) if builds else 0.0
        if self.seconds_left(training_seconds) > building:
            return True
        owed = self.tracing - self._first_tracing + self._steady
        return owed + building <= _BEGINNING_FRACTION * training_seconds

    @property
    def _steady(self) -> float:
        return self.spent - self._first

    def traced(self, seconds: float) -> None:
        """Account for a first measurement, which is mostly tracing."""
        if not self._built:
            self._first_tracing = seconds
        self.tracing += seconds
        self._built += 1

    def written(self, seconds: float) -> None:
        """Account for writing down what was measured; of the first measurement, that is allowed as well."""
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


class Stopwatch:
    """Seconds since it was made, the one-time tracing in between left out."""

    def __init__(self, budget: ProbeBudget) -> None:
        """Begin to count."""
        self._budget = budget
        self._begun = time.perf_counter() - budget.tracing

    def seconds(self) -> float:
        """Return how many have passed."""
        return time.perf_counter() - self._begun - self._budget.tracing
