"""Decides what is measured when to open the within-class term, and keeps what is known from epoch to epoch."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from tui_monitor.explain.evidence.input_scale import Mapping as ScaleMapping
from tui_monitor.explain.evidence.input_scale import scale_mapping
from tui_monitor.explain.ledger.within import OPENED_CAUSES, is_scale_confirmed
from tui_monitor.explain.quantiles import small_sample_inflation
from tui_monitor.explain.samples.opened import BatchNorm, Fresh, Leak, Opened, Rescaled
from tui_monitor.explain.samples.probes import IntArray, ValidationProbe
from tui_monitor.run_log.events.explanation import Cause
from tui_monitor.training.guard import raise_what_is_the_users
from tui_monitor.training.probe.opening.batch_norm import BatchNormSplit, other_kinds
from tui_monitor.training.probe.opening.leak import LeakSearch
from tui_monitor.training.probe.opening.moments import MOST_SAMPLES, mapped, moments
from tui_monitor.training.probe.opening.observing import observed
from tui_monitor.training.probe.opening.weight_copies import WeightCopies, WeightCopy
from tui_monitor.training.probe.passes import LazyBatch, Probe, UnpackedBatch
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.probe.validation_record import ValidationRecord
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.step.per_sample_metrics import Unsupported

_WORTH_SPLITTING: Final = 0.005
"""Nats by which training mode must change the loss for that to be split by kind of layer."""
_TRIED, _GROUPS = 512, 4
"""Validation samples that mappings from parts of the samples are tried on, and how many parts."""
_MOST_RERUN: Final = 2048
"""Validation samples that are measured once more with mapped inputs, and at the fresh test's moment."""
_MISFIT: Final = 0.03
"""Standard error, relative to the effect, of a mapping that fits no usual pattern: up to 5 % was seen."""
_FEWEST_FRESH: Final = 4
"""Batches not trained on yet that the fresh-batch test takes at least."""
_LEARNED: Final = 0.25
"""Fraction of the training loss's fall since the first batches that must lie before the test."""
_REPEATED: Final = 0.05
"""Fraction of the test's samples that may have been trained on earlier in the epoch."""

PlacedBatch = tuple[int, UnpackedBatch]
"""A batch with its number in its pass, from 0."""


@dataclass(frozen=True)
class EpochToOpen:
    """One epoch's batches and values, at its end."""

    epoch: int
    training: Reservoir[LazyBatch]
    validation: ValidationRecord
    side: ValidationProbe
    """All of validation as the ledger takes it."""
    totals: EpochTotals
    """Of the epoch's batches."""
    reported_loss: float
    """Training loss as reported."""
    probed: Sequence[UnpackedBatch]
    """Training batches that this epoch's probe has measured, in its order."""
    mode_effect: float
    """Size of what training mode changes the loss of these by, in nats."""

    penalties: tuple[float, float] = (0.0, 0.0)
    """Parts of the training loss that are no sample's, in training and in inference mode, in nats."""

    @property
    def samples(self) -> int:
        """Training samples of the epoch."""
        return self.totals.samples

    @property
    def measured(self) -> int:
        """Training samples that the probe has measured, which bounds what is measured beside them."""
        return sum(batch.samples for batch in self.probed)


@dataclass
class Opener:
    """What is known of one fit's data."""

    copies: WeightCopies | None = None
    """Copies of the weights from within the first epoch; None until it has begun, and afterwards."""
    _leak: LeakSearch = field(default_factory=LeakSearch)
    _mappings: "tuple[dict[int, ScaleMapping], bool] | None" = None
    """What maps validation's inputs to training's scale, as found in the first epoch that was measured."""
    _fresh: "_FreshTest | None" = None
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
        training = [(index, unpack()) for index, unpack in epoch.training.draw(10**9)]
        reasons: dict[str, str] = {}
        leak = self._searched(epoch, training, validation, deadline, reasons)
        batch_norm = self._split(probe, epoch, validation)
        rescaled, mappings, is_same = self._rescaled(probe, epoch, training, validation, reasons)
        fresh = self._fresh_of(probe, epoch, training, validation, mappings, reasons)
        seen = observed(probe.training, epoch.totals, epoch.penalties, self._leak.seen)
        return Opened(leak, rescaled, fresh, reasons, batch_norm, self._other_kinds, seen, same_scale=is_same)

    def _split(self, probe: Probe, epoch: EpochToOpen, validation: Sequence[PlacedBatch]) -> BatchNorm | None:
        """Return what batch normalisation's kinds of statistics do, where training mode changes the loss noticeably."""
        if epoch.mode_effect < _WORTH_SPLITTING:
            return None
        if self._batch_norm is None:
            self._batch_norm = BatchNormSplit(probe.backend, probe.model)
            self._other_kinds = other_kinds(probe.backend, probe.model)
        chosen = _up_to(validation, min(_MOST_RERUN, epoch.measured), epoch.epoch)
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
        training: Sequence[PlacedBatch],
        validation: Sequence[PlacedBatch],
        deadline: float,
        reasons: dict[str, str],
    ) -> Leak | None:
        try:
            return self._leak.search(epoch.epoch, training, placed(validation, epoch), epoch, deadline)
        except Exception as error:
            # What a signal handler of the script raised passes; any other failure costs this one cause alone.
            raise_what_is_the_users(error)
            reasons[Cause.LEAKED] = f"Inputs can't be compared ({type(error).__name__}: {error})."
            return None

    def _rescaled(
        self,
        probe: Probe,
        epoch: EpochToOpen,
        training: Sequence[PlacedBatch],
        validation: Sequence[PlacedBatch],
        reasons: dict[str, str],
    ) -> tuple[Rescaled | None, dict[int, ScaleMapping], bool]:
        """Return validation at training's scale, what maps it, and whether both sides are on one scale as they are."""
        try:
            if self._mappings is None:
                self._mappings = _mappings(_some(training, epoch.epoch), _some(validation, epoch.epoch))
            mappings, comparable = self._mappings
            if not mappings:
                reasons[Cause.INPUT_SCALE] = "" if comparable else "The inputs are not numbers that have a scale."
                return None, {}, comparable
            chosen = _up_to(validation, min(_MOST_RERUN, epoch.measured), epoch.epoch)
            rows = probe.validation_batches([mapped(batch, mappings) for _, batch in chosen]).outputs[0].inference
        except Exception as error:
            raise_what_is_the_users(error)
            reasons[Cause.INPUT_SCALE] = f"Mapped inputs can't be measured ({type(error).__name__}: {error})."
            return None, {}, False
        sample = samples_of(chosen, epoch)
        correct = None if epoch.side.correct is None else rows["correct"]
        largest = max(mappings.values(), key=lambda mapping: mapping.scale.differing)
        errors = (0.0, 0.0)
        if not largest.scale.pattern:
            # Means and deviations alone give back a preparation to some per cent, beside what estimating them gives.
            effect = float(rows["loss"].mean() - epoch.side.loss[sample].mean())
            before = epoch.side.correct
            gained = 0.0 if correct is None or before is None else float(correct.mean() - before[sample].mean())
            of_loss, of_accuracy = self._mapping_errors(probe, epoch, training, validation)
            errors = math.hypot(of_loss, _MISFIT * effect), math.hypot(of_accuracy, _MISFIT * gained)
        rescaled = Rescaled(sample, rows["loss"], correct, epoch.side.loss[sample], largest.scale, *errors)
        # A mapping that is not confirmed must not change what the fresh-batch test compares.
        return rescaled, mappings if is_scale_confirmed(rescaled) else {}, False

    def _mapping_errors(
        self, probe: Probe, epoch: EpochToOpen, training: Sequence[PlacedBatch], validation: Sequence[PlacedBatch]
    ) -> tuple[float, float]:
        """Return the standard errors of mean loss and accuracy that estimating the mapping gives.

        Random groups (Wolter, Introduction to variance estimation, 2007, chapter 2): the mapping from each of a few
        parts of the samples, tried on the same samples.
        """
        tried = _up_to(validation, _TRIED, epoch.epoch)
        sides = [_some(side, epoch.epoch) for side in (training, validation)]
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
        training: Sequence[PlacedBatch],
        validation: Sequence[PlacedBatch],
        mappings: Mapping[int, ScaleMapping],
        reasons: dict[str, str],
    ) -> Fresh | None:
        """Return the fresh-batch test, measured at the end of the first epoch and kept from there on."""
        # Given up as soon as it is read: a copy holds as much memory as the weights.
        copies, self.copies = self.copies, None
        if copies is not None and copies.epoch == epoch.epoch:
            try:
                self._fresh = self._tested(probe, epoch, copies, training, validation, mappings)
            except Unsupported as reason:
                self.why_not_fresh = str(reason)
            except Exception as error:
                raise_what_is_the_users(error)
                self.why_not_fresh = f"The fresh-batch test failed ({type(error).__name__}: {error})."
        why_not = self.why_not_fresh if self._fresh is None else self._fresh.why_not(epoch)
        if why_not or self._fresh is None:
            reasons[Cause.UNFAMILIAR] = reasons[Cause.MEMORISED] = why_not
            return None
        return self._fresh.values

    def _tested(
        self,
        probe: Probe,
        epoch: EpochToOpen,
        copies: WeightCopies,
        training: Sequence[PlacedBatch],
        validation: Sequence[PlacedBatch],
        mappings: Mapping[int, ScaleMapping],
    ) -> "_FreshTest":
        """Measure both sides at the newest copy of the weights after which enough batches were kept.

        Raises:
            Unsupported: it says nothing here; the message is the reason.
        """
        if copies.why_none:
            raise Unsupported(copies.why_none)
        found = _fresh_batches(copies.copies, training)
        if found is None:
            raise Unsupported("The first epoch has too few batches for a fresh-batch test.")
        copy, fresh = found
        repeated = self._leak.fraction_seen_before(epoch.epoch, copy.batches, fresh)
        if repeated > _REPEATED:
            raise Unsupported("Samples repeat within the first epoch, so no batch is known to be new to the model.")
        chosen = _up_to(validation, _MOST_RERUN, epoch.epoch)
        batches = [batch for _, batch in fresh]
        variables = copy.variables()
        train = probe.with_variables(batches, variables)
        other = probe.with_variables([mapped(batch, dict(mappings)) for _, batch in chosen], variables)
        has_accuracy = epoch.side.correct is not None
        return _FreshTest(
            Fresh(
                batch=np.repeat(np.arange(len(batches)), [batch.samples for batch in batches]),
                label=_labels(train["label"]),
                loss=train["loss"],
                correct=train["correct"] if has_accuracy else None,
                validation_sample=samples_of(chosen, epoch),
                validation_label=_labels(other["label"]),
                validation_loss=other["loss"],
                validation_correct=other["correct"] if has_accuracy else None,
                batches_before=copy.batches,
            ),
            _trained_loss(training, 0, max(1, copy.batches // 10)),
            _trained_loss(training, copy.batches, copy.batches + max(4, copy.batches // 4)),
            epoch.side.loss.size,
        )


@dataclass(frozen=True)
class _FreshTest:
    """The test's values, and what decides whether they still say something."""

    values: Fresh
    loss_at_start: float
    """Mean loss of the first batches, as trained on."""
    loss_at_test: float
    """The same around the test's moment."""
    validation_samples: int

    def why_not(self, epoch: EpochToOpen) -> str:
        """Return why the test says nothing of an epoch; empty where it does."""
        if epoch.side.loss.size != self.validation_samples:
            return "Validation is another set than in the first epoch, when the fresh-batch test was made."
        learned, now = self.loss_at_start - self.loss_at_test, self.loss_at_start - epoch.reported_loss
        # Not `<`: a loss that is NaN counts as not learned.
        if not learned >= _LEARNED * max(now, 0.0) or learned <= 0:
            return (
                "In the first epoch the model had learned too little for the fresh-batch test to tell different data "
                "from memorised samples now."
            )
        return ""


def placed_validation(epoch: EpochToOpen) -> list[PlacedBatch]:
    """Return the kept batches of validation with their numbers; none where their samples can't be placed."""
    record = epoch.validation
    sizes = {batch.index: batch.samples for batch in record.by_sample}
    # Where the size of one batch is unknown, samples of all later ones would get wrong indices.
    if len(sizes) != record.batches or sum(sizes.values()) != epoch.side.loss.size:
        return []
    kept = [(index, unpack()) for index, unpack in record.kept.draw(10**9)]
    return kept if all(batch.samples == sizes[index] for index, batch in kept) else []


def placed(validation: Sequence[PlacedBatch], epoch: EpochToOpen) -> list[tuple[IntArray, UnpackedBatch]]:
    """Return each batch of validation with the index of each of its samples among all."""
    starts = np.cumsum([0, *(batch.samples for batch in epoch.validation.by_sample)])
    return [(np.arange(starts[index], starts[index] + batch.samples), batch) for index, batch in validation]


def samples_of(validation: Sequence[PlacedBatch], epoch: EpochToOpen) -> IntArray:
    """Return the index of each sample of some batches of validation among all its samples, shape (n,)."""
    return np.concatenate([sample for sample, _ in placed(validation, epoch)])


def _labels(values: Any) -> IntArray:
    labels: IntArray = np.rint(values).astype(np.int64)
    return labels


def _some(batches: Sequence[PlacedBatch], seed: int) -> list[UnpackedBatch]:
    return [batch for _, batch in _up_to(batches, MOST_SAMPLES, seed)]


def _up_to(batches: Sequence[PlacedBatch], samples: int, seed: int) -> list[PlacedBatch]:
    """Return whole batches with no more samples than asked for, at least one, chosen at random, in their order."""
    # A generator of its own; another seed for each epoch chooses other samples.
    order = np.random.default_rng(seed).permutation(len(batches))
    sizes = np.cumsum([batches[index][1].samples for index in order])
    count = max(1, int(np.searchsorted(sizes, samples, side="right")))
    return [batches[index] for index in sorted(order[:count])]


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


def _fresh_batches(
    copies: Sequence[WeightCopy], training: Sequence[PlacedBatch]
) -> tuple[WeightCopy, list[PlacedBatch]] | None:
    """Return the newest copy of the weights with a fifth of the kept batches after it, and these; None without one."""
    for copy in reversed(copies):
        fresh = [(index, batch) for index, batch in training if index >= copy.batches]
        if len(fresh) >= max(_FEWEST_FRESH, len(training) // 5):
            return copy, _up_to(fresh, _MOST_RERUN, copy.batches)
    return None


def _trained_loss(training: Sequence[PlacedBatch], first: int, end: int) -> float:
    """Return the mean loss, as trained on, of kept batches in a range, else of those nearest to its begin."""
    inside = [batch.loss for index, batch in training if first <= index < end]
    if not inside:
        inside = [min(training, key=lambda entry: abs(entry[0] - first))[1].loss]
    return float(np.mean(inside))
