"""Opens the within-class term within the probe's budget; what fails costs that term alone, never the ledger."""

import time
from dataclasses import replace
from typing import Any, Final

from tui_monitor.explain.ledger.within import OPENED_CAUSES
from tui_monitor.explain.samples.observed import Observed, WholeValidation
from tui_monitor.explain.samples.opened import Opened
from tui_monitor.explain.samples.probes import TrainingProbe, ValidationProbe
from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.training.guard import raise_what_is_the_users
from tui_monitor.training.probe.batches import LazyBatch
from tui_monitor.training.probe.both_sides import Measured
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.probe.opening.epoch_to_open import EpochToOpen
from tui_monitor.training.probe.opening.observing import observed
from tui_monitor.training.probe.opening.opener import Opener
from tui_monitor.training.probe.opening.weight_copies import WeightCopies
from tui_monitor.training.probe.passes import Probe
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.probe.undisturbed import undisturbed

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
        self.given_validation = WholeValidation()
        """What `fit` was given, where `validation_steps` may cut it."""

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
            # Training waits for the copy, so it is a cost of measuring.
            self._budget.written(time.perf_counter() - begun)

    def open(
        self, probe: Probe, epoch: EpochToOpen, forward_seconds: float, why_whole: str = ""
    ) -> tuple[Opened, float]:
        """Return what opens the within-class term of an epoch, and the seconds it took, building passes left out.

        Args:
            probe: of the functions that run now.
            epoch: that ended.
            forward_seconds: that the epoch's forward passes took.
            why_whole: why the term can't be opened, so that the checks alone are made; empty where it can.
        """
        begun, built = time.perf_counter(), probe.building_seconds
        try:
            seconds = max(_LEAST_SECONDS, _PART * forward_seconds)
            opened = undisturbed(lambda: self._opened(probe, epoch, seconds, why_whole))
        except Exception as error:
            raise_what_is_the_users(error)
            opened = Opened(reasons=dict.fromkeys(OPENED_CAUSES, f"It failed ({in_a_line(error)})."))
        # Later epochs use the same passes, so building them is no part of what an epoch costs.
        built = probe.building_seconds - built
        self._budget.traced(built)
        return opened, time.perf_counter() - begun - built

    def _opened(self, probe: Probe, epoch: EpochToOpen, seconds: float, why_whole: str) -> Opened:
        if why_whole:
            opened = Opened(
                reasons=dict.fromkeys(OPENED_CAUSES, why_whole), observed=observed(probe, epoch, Observed())
            )
        else:
            opened = self._opener.open(probe, epoch, seconds)
        if opened.observed is None:
            return opened
        return replace(opened, observed=replace(opened.observed, validation_given=self.given_validation))


def why_whole(known: Measured) -> str:
    """Return why the within-class term of an epoch can't be opened, a sentence; empty where it can."""
    outputs = known.plan.outputs
    if known.plan.by_batch:
        return "It is measured of samples, and this loss by whole batches."
    if len(outputs) != 1:
        return "It is measured of models with one loss alone."
    return "" if outputs[0].unit == "sample" else f"It is measured of samples, and this loss by {outputs[0].unit}s."


class OpenedOnce:
    """Opens the term of one epoch when it is first called; where units are not samples, the term stays whole."""

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
        if self._opened is not None or kept is None or known.now is not None:
            return self._opened
        why = why_whole(known)
        if why and (known.plan.by_batch or len(known.plan.outputs) != 1):
            return Opened(reasons=dict.fromkeys(OPENED_CAUSES, why))
        epoch = EpochToOpen(
            epoch=self._epoch,
            training=kept,
            validation=known.validation,
            side=validation,
            totals=known.totals,
            probed=known.batches,
            mode_effect=abs(float((training.loss.training - training.loss.inference).mean())),
            penalties=(known.training.penalty, known.training.inference_penalty),
        )
        self._opened, self.seconds = self._opening.open(self._probe, epoch, self._forward, why)
        return self._opened
