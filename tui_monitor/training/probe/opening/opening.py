"""Opens the within-class term within the probe's budget; what fails costs that term alone, never the ledger."""

import time
from collections.abc import Sequence
from typing import Any, Final

from tui_monitor.explain.ledger.within import OPENED_CAUSES
from tui_monitor.explain.samples.opened import Opened
from tui_monitor.explain.samples.probes import TrainingProbe, ValidationProbe
from tui_monitor.training.guard import raise_what_is_the_users
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.probe.opening.opener import EpochToOpen, Opener
from tui_monitor.training.probe.opening.weight_copies import WeightCopies
from tui_monitor.training.probe.passes import (
    LazyBatch,
    MeasuredBatches,
    Probe,
    UnpackedBatch,
    preserved_random_state,
)
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.probe.validation_record import ValidationRecord
from tui_monitor.training.record.epoch_totals import EpochTotals

_LEAST_SECONDS: Final = 0.05
"""Seconds that fingerprints of one epoch may take, at least."""
_PART: Final = 0.5
"""What they may take of an epoch's forward passes, where that is more."""


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
        self._opener.copies = WeightCopies(self._model, epoch, steps)

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
            with preserved_random_state():
                opened = self._opener.open(probe, epoch, max(_LEAST_SECONDS, _PART * forward_seconds))
        except Exception as error:
            raise_what_is_the_users(error)
            opened = Opened(reasons=dict.fromkeys(OPENED_CAUSES, f"It failed ({type(error).__name__}: {error})."))
        built = probe.building_seconds - built
        self._budget.traced(built)
        return opened, time.perf_counter() - begun - built


def epoch_to_open(
    epoch: int,
    training: tuple[Reservoir[LazyBatch], Sequence[UnpackedBatch]],
    validation: tuple[ValidationRecord, ValidationProbe | None],
    totals: EpochTotals,
    measured: tuple[TrainingProbe, MeasuredBatches],
) -> EpochToOpen | None:
    """Return an epoch as it is opened, or None without validation.

    Args:
        epoch: its number, from 1.
        training: all batches that were kept, and those that the probe has measured, in its order.
        validation: what was kept of it, and as the ledger takes it.
        totals: of the epoch's batches.
        measured: training as the ledger takes it, and what the probe has measured.
    """
    (record, side), (probe, passes) = validation, measured
    if side is None:
        return None
    return EpochToOpen(
        epoch=epoch,
        training=training[0],
        validation=record,
        side=side,
        totals=totals,
        reported_loss=probe.loss.reported,
        probed=training[1],
        mode_effect=abs(float((probe.loss.training - probe.loss.inference).mean())),
        penalties=(passes.penalty, passes.inference_penalty),
    )
