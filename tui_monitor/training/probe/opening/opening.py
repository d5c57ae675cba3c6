"""Opens the within-class term within the probe's budget; what fails costs that term alone, never the ledger."""

import time
from typing import Any, Final

from tui_monitor.explain.ledger.within import OPENED_CAUSES
from tui_monitor.explain.samples.opened import Opened
from tui_monitor.explain.samples.probes import TrainingProbe, ValidationProbe
from tui_monitor.training.backends import graphs
from tui_monitor.training.guard import raise_what_is_the_users
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.probe.ledger_sides import Measured
from tui_monitor.training.probe.opening.opener import EpochToOpen, Opener
from tui_monitor.training.probe.opening.weight_copies import WeightCopies
from tui_monitor.training.probe.passes import LazyBatch, Probe, preserved_random_state
from tui_monitor.training.probe.reservoir import Reservoir

_LEAST_SECONDS: Final = 0.05
"""Seconds that fingerprints of one epoch may take, at least."""
_PART: Final = 0.5
"""What they may take of an epoch's forward passes, where that is more."""


_NOT_TESTED = "Different data and memorised samples can't be told apart reliably yet."
TESTS_FRESH_BATCHES = False
"""Whether different data are told from memorised samples: where data differ, that test's intervals hold the truth
too seldom, so it is made in benchmarks and tests alone."""


class Opening:
    """One fit's opener, with the budget that it spends from."""

    def __init__(self, model: Any, budget: ProbeBudget) -> None:
        """Begin with nothing known.

        Args:
            model: that trains.
            budget: of all measuring.
        """
        self._model = model
        self._budget = budget
        self._opener = Opener()

    def begin_first_epoch(self, epoch: int, steps: int | None) -> None:
        """Begin to copy weights within a fit's first epoch.

        Args:
            epoch: its number.
            steps: of the epoch, where known.
        """
        if TESTS_FRESH_BATCHES:
            self._opener.copies = WeightCopies(self._model, epoch, steps)
        else:
            self._opener.why_not_fresh = _NOT_TESTED

    def copies_weights_at(self, epoch: int) -> int | None:
        """Return after how many batches of an epoch weights are to be copied next, or None."""
        copies = self._opener.copies
        return copies.next if copies is not None and copies.epoch == epoch else None

    def copy_weights(self, epoch: int, batches: int) -> None:
        """Copy the weights where that is due.

        Args:
            epoch: that is under way.
            batches: of the epoch so far.
        """
        copies, due = self._opener.copies, self.copies_weights_at(epoch)
        if copies is not None and due is not None and batches >= due:
            begun = time.perf_counter()
            copies.copy(batches)
            self._budget.written(time.perf_counter() - begun)

    def open(self, probe: Probe, epoch: EpochToOpen, forward_seconds: float) -> tuple[Opened, float]:
        """Return what opens the within-class term of an epoch, and the seconds it took, building passes left out.

        Args:
            probe: of the functions that run now.
            epoch: that ended.
            forward_seconds: that the epoch's forward passes took.
        """
        begun, built = time.perf_counter(), probe.building_seconds
        try:
            with preserved_random_state(), graphs.off_tape():
                opened = self._opener.open(probe, epoch, max(_LEAST_SECONDS, _PART * forward_seconds))
        except Exception as error:
            raise_what_is_the_users(error)
            opened = Opened(reasons=dict.fromkeys(OPENED_CAUSES, f"It failed ({type(error).__name__}: {error})."))
        built = probe.building_seconds - built
        self._budget.traced(built)
        return opened, time.perf_counter() - begun - built


class OpenedOnce:
    """Opens one epoch when it is asked to, once; a model whose units are not samples is left as it is."""

    def __init__(
        self,
        opening: Opening,
        probe: Probe,
        known: Measured,
        epoch: int,
        kept: Reservoir[LazyBatch] | None,
        forward_seconds: float,
    ) -> None:
        """Prepare.

        Args:
            opening: of the fit.
            probe: of the functions that run now.
            known: of the epoch.
            epoch: its number, from 1.
            kept: all batches of the epoch that were kept; None where nothing is to be opened.
            forward_seconds: that the epoch's forward passes took.
        """
        self._opening, self._probe, self._known = opening, probe, known
        self._epoch, self._kept, self._forward = epoch, kept, forward_seconds
        self.seconds = 0.0
        """That opening took, building passes left out."""
        self._opened: Opened | None = None

    def __call__(self, training: TrainingProbe, validation: ValidationProbe) -> Opened | None:
        """Return what opens the within-class term of both sides, or None where it stays whole."""
        known, kept = self._known, self._kept
        outputs = known.plan.outputs
        is_by_sample = len(outputs) == 1 and outputs[0].unit == "sample" and not known.plan.by_batch
        if self._opened is not None or kept is None or known.now is not None or not is_by_sample:
            return self._opened
        epoch = EpochToOpen(
            epoch=self._epoch,
            training=kept,
            validation=known.validation,
            side=validation,
            totals=known.totals,
            reported_loss=training.loss.reported,
            probed=known.batches,
            mode_effect=abs(float((training.loss.training - training.loss.inference).mean())),
            penalties=(known.training.penalty, known.training.inference_penalty),
        )
        self._opened, self.seconds = self._opening.open(self._probe, epoch, self._forward)
        return self._opened
