"""Decides what is measured when to open the within-class term, and keeps what is known from epoch to epoch."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tui_monitor.explain.evidence.input_scale import Mapping as ScaleMapping
from tui_monitor.explain.evidence.input_scale import scale_mapping
from tui_monitor.explain.ledger.within import OPENED_CAUSES
from tui_monitor.explain.quantiles import small_sample_inflation
from tui_monitor.explain.samples.opened import BatchNorm, Fresh, Leak, Opened, Rescaled
from tui_monitor.run_log.events.ledger import Cause
from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.training.guard import raise_what_is_the_users
from tui_monitor.training.probe.batches import UnpackedBatch
from tui_monitor.training.probe.opening.batch_norm import BatchNormSplit, other_kinds
from tui_monitor.training.probe.opening.epoch_to_open import (
    MOST_RERUN,
    EpochToOpen,
    PlacedBatch,
    placed,
    placed_validation,
    samples_of,
    some,
    up_to,
)
from tui_monitor.training.probe.opening.fresh_test import FreshTest, fresh_test
from tui_monitor.training.probe.opening.leak import LeakSearch
from tui_monitor.training.probe.opening.moments import mapped, moments
from tui_monitor.training.probe.opening.observing import observed
from tui_monitor.training.probe.opening.weight_copies import WeightCopies
from tui_monitor.training.probe.passes import Probe
from tui_monitor.training.step.per_sample_metrics import Unsupported

_WORTH_SPLITTING: Final = 0.005
"""Nats by which training mode must change the loss for that to be split by kind of layer."""
_TRIED, _GROUPS = 512, 4
"""Validation samples that mappings from parts of the samples are tried on, and how many parts."""
_MISFIT: Final = 0.03
"""Standard error, relative to the effect, of a mapping that fits no usual pattern: up to 5 % was seen."""


@dataclass
class Opener:
    """What is known of one fit's data."""

    copies: WeightCopies | None = None
    """Copies of the weights from within the first epoch; None until it has begun, and afterwards."""
    _leak: LeakSearch = field(default_factory=LeakSearch)
    _mappings: "tuple[dict[int, ScaleMapping], bool] | None" = None
    """What maps validation's inputs to training's scale, as found in the first epoch that was measured."""
    _fresh: FreshTest | None = None
    _batch_norm: BatchNormSplit | None = None
    _other_kinds: tuple[str, ...] = ()
    why_not_fresh: str = "The first epoch of this fit was not measured, so no batch is known to be new to the model."
    """Said of different data and memorised samples where nothing was tested."""

    def open(self, probe: Probe, epoch: EpochToOpen, seconds: float) -> Opened:
        """Measure what can be of one epoch.

        Args:
            probe: of the functions that run now.
            epoch: which ended.
            seconds: that fingerprints and moments may take.
        """
        deadline = time.perf_counter() + seconds
        validation = placed_validation(epoch)
        if not validation:
            return Opened(reasons=dict.fromkeys(OPENED_CAUSES, "No whole batches of validation could be kept."))
        reasons: dict[str, str] = {}
        leak = self._searched(epoch, validation, deadline, reasons)
        batch_norm = self._split(probe, epoch, validation)
        rescaled, is_same = self._rescaled(probe, epoch, validation, reasons)
        fresh = self._fresh_of(probe, epoch, validation, reasons)
        seen = observed(probe, epoch, self._leak.seen)
        return Opened(leak, rescaled, fresh, reasons, batch_norm, self._other_kinds, seen, same_scale=is_same)

    def _split(self, probe: Probe, epoch: EpochToOpen, validation: Sequence[PlacedBatch]) -> BatchNorm | None:
        """Return what batch normalisation's kinds of statistics do, where training mode changes the loss noticeably."""
        if epoch.mode_effect < _WORTH_SPLITTING:
            return None
        if self._batch_norm is None:
            self._batch_norm = BatchNormSplit(probe.backend, probe.model)
            self._other_kinds = other_kinds(probe.backend, probe.model)
        chosen = up_to(validation, min(MOST_RERUN, epoch.measured), epoch.epoch)
        batches = samples_of(chosen, epoch), [batch for _, batch in chosen]
        try:
            return self._batch_norm.measure(probe, epoch.probed, batches, others=bool(self._other_kinds))
        except Exception as error:
            # The term stays whole: what it is made of is no promise.
            raise_what_is_the_users(error)
            return None

    def _searched(
        self,
        epoch: EpochToOpen,
        validation: Sequence[PlacedBatch],
        deadline: float,
        reasons: dict[str, str],
    ) -> Leak | None:
        try:
            return self._leak.search(epoch, placed(validation, epoch), deadline)
        except Exception as error:
            # What a signal handler of the script raised passes; any other failure costs this one cause alone.
            raise_what_is_the_users(error)
            reasons[Cause.LEAKED] = f"Inputs can't be compared ({in_a_line(error)})."
            return None

    def _rescaled(
        self,
        probe: Probe,
        epoch: EpochToOpen,
        validation: Sequence[PlacedBatch],
        reasons: dict[str, str],
    ) -> tuple[Rescaled | None, bool]:
        """Return validation at training's scale, and whether both sides are on one scale as they are."""
        try:
            if self._mappings is None:
                self._mappings = _mappings(some(epoch.placed_training, epoch.epoch), some(validation, epoch.epoch))
            mappings, comparable = self._mappings
            if not mappings:
                reasons[Cause.INPUT_SCALE] = "" if comparable else "The inputs are not numbers that have a scale."
                return None, comparable
            chosen = up_to(validation, min(MOST_RERUN, epoch.measured), epoch.epoch)
            rows = probe.validation_batches([mapped(batch, mappings) for _, batch in chosen]).outputs[0].inference
        except Exception as error:
            raise_what_is_the_users(error)
            reasons[Cause.INPUT_SCALE] = f"Mapped inputs can't be measured ({in_a_line(error)})."
            return None, False
        sample = samples_of(chosen, epoch)
        correct = None if epoch.side.correct is None else rows["correct"]
        largest = max(mappings.values(), key=lambda mapping: mapping.scale.differing)
        errors = (0.0, 0.0)
        if not largest.scale.pattern:
            # Means and deviations alone give back a preparation to some per cent, beside what estimating them gives.
            effect = float(rows["loss"].mean() - epoch.side.loss[sample].mean())
            before = epoch.side.correct
            gained = 0.0 if correct is None or before is None else float(correct.mean() - before[sample].mean())
            of_loss, of_accuracy = self._mapping_errors(probe, epoch, validation)
            errors = math.hypot(of_loss, _MISFIT * effect), math.hypot(of_accuracy, _MISFIT * gained)
        return Rescaled(sample, rows["loss"], correct, epoch.side.loss[sample], largest.scale, *errors), False

    def _mapping_errors(
        self, probe: Probe, epoch: EpochToOpen, validation: Sequence[PlacedBatch]
    ) -> tuple[float, float]:
        """Return the standard errors of mean loss and accuracy that estimating the mapping gives.

        Random groups (Wolter, Introduction to variance estimation, 2007, chapter 2): the mapping from each of a few
        parts of the samples, tried on the same samples.
        """
        tried = up_to(validation, _TRIED, epoch.epoch)
        sides = [some(side, epoch.epoch) for side in (epoch.placed_training, validation)]
        losses, rights = [], []
        known = self._mappings[0] if self._mappings is not None else {}
        for part in range(_GROUPS):
            groups = [side[part::_GROUPS] for side in sides]
            mappings = _mappings(groups[0], groups[1], known) if all(groups) else None
            if mappings is None or not mappings[0]:
                continue
            rows = probe.validation_batches([mapped(batch, mappings[0]) for _, batch in tried]).outputs[0].inference
            losses.append(float(rows["loss"].mean()))
            rights.append(float(rows["correct"].mean()))
        if len(losses) < 2:
            return 0.0, 0.0
        scale = small_sample_inflation(len(losses), 1) / math.sqrt(len(losses))
        return float(np.std(losses)) * scale, float(np.std(rights)) * scale

    def _fresh_of(
        self,
        probe: Probe,
        epoch: EpochToOpen,
        validation: Sequence[PlacedBatch],
        reasons: dict[str, str],
    ) -> Fresh | None:
        """Return the fresh-batch test, measured at the end of the first epoch and kept from there on."""
        # Given up as soon as it is read: a copy holds as much memory as the weights.
        copies, self.copies = self.copies, None
        if copies is not None and copies.epoch == epoch.epoch:
            try:
                self._fresh = fresh_test(probe, epoch, copies, validation, self._leak)
            except Unsupported as reason:
                self.why_not_fresh = str(reason)
            except Exception as error:
                raise_what_is_the_users(error)
                self.why_not_fresh = f"The fresh-batch test failed ({in_a_line(error)})."
        why_not = self.why_not_fresh if self._fresh is None else self._fresh.why_not(epoch)
        if why_not or self._fresh is None:
            reasons[Cause.UNFAMILIAR] = reasons[Cause.MEMORISED] = why_not
            return None
        return self._fresh.values


def _mappings(
    train: list[UnpackedBatch], validation: list[UnpackedBatch], always: Mapping[int, ScaleMapping] | None = None
) -> tuple[dict[int, ScaleMapping], bool]:
    """Return what maps each input of validation that is on another scale, and whether any input has a scale at all.

    Args:
        train: batches of training.
        validation: batches of validation.
        always: mappings whose channels are mapped whether they differ beyond chance here or not.
    """
    found, comparable = {}, False
    for number in range(len(validation[0].inputs["x"])):
        sides = moments(train, number), moments(validation, number)
        if sides[0] is None or sides[1] is None or sides[0].mean.shape[1] != sides[1].mean.shape[1]:
            continue
        comparable = True
        known = (always or {}).get(number)
        mapping = scale_mapping(sides[0], sides[1], number, None if known is None else known.is_mapped)
        if mapping is not None:
            found[number] = mapping
    return found, comparable
