"""The fresh-batch test: both sides at a moment of epoch 1, on training batches that were not trained on until then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tui_monitor.explain.ledger.parts import Strata
from tui_monitor.explain.ledger.reweighting import features, separability
from tui_monitor.explain.samples.opened import Features, Fresh
from tui_monitor.explain.samples.probes import FloatArray, IntArray
from tui_monitor.training.probe.batches import UnpackedBatch, concatenate, same_shapes
from tui_monitor.training.probe.opening.epoch_to_open import MOST_RERUN, EpochToOpen, PlacedBatch, samples_of, up_to
from tui_monitor.training.probe.opening.leak import LeakSearch
from tui_monitor.training.probe.opening.signatures import Signer, principal_components
from tui_monitor.training.probe.opening.weight_copies import WeightCopies, WeightCopy
from tui_monitor.training.probe.passes import Probe
from tui_monitor.training.probe.unit_values import labels as labels_of
from tui_monitor.training.step.per_sample_metrics import Unsupported

_FEWEST_FRESH: Final = 4
"""Batches not trained on yet that the fresh-batch test takes at least."""
_LEARNED: Final = 0.25
"""Part of what the loss has fallen by on unseen samples that it must have fallen by at the fresh-batch test."""
_HALF_LEARNED: Final = 0.5
"""Part of what the first epoch's loss has fallen by in all that it should have fallen by at the fresh-batch test."""
_MIDDLE: Final = 0.45
"""Part of the first epoch from which a copy of the weights is as good as one of its middle."""
_LEARNED_AT_LEAST: Final = 0.1
"""Part of the first batches' loss that it must have fallen by."""
_COMPONENTS: Final = 8
"""Numbers that say what a sample's inputs are like, where both sides are compared."""
_MOST_SEPARABLE: Final = 0.95
"""Area under the curve of a classifier between both sides' inputs above which they hardly overlap."""
_REPEATED: Final = 0.05
"""Fraction of the test's samples that may have been trained on earlier in the epoch."""


@dataclass(frozen=True)
class FreshTest:
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
        learned, now = self.loss_at_start - self.loss_at_test, self.loss_at_start - float(epoch.side.loss.mean())
        if not learned >= max(_LEARNED * now, _LEARNED_AT_LEAST * self.loss_at_start) or learned <= 0:
            return (
                "In the first epoch the model had learned too little for the fresh-batch test to tell different data "
                "from memorised samples now."
            )
        return ""


def fresh_test(
    probe: Probe,
    epoch: EpochToOpen,
    copies: WeightCopies,
    validation: Sequence[PlacedBatch],
    leak: LeakSearch,
) -> FreshTest:
    """Measure both sides at a copy of the weights after which enough batches were kept.

    Raises:
        Unsupported: it says nothing here; the message is the reason.
    """
    if copies.why_none:
        raise Unsupported(copies.why_none)
    training = epoch.placed_training
    found = _fresh_batches(copies.copies, training)
    if not found:
        raise Unsupported("The first epoch has too few batches for a fresh-batch test.")
    at_start = _trained_loss(training, 0, max(_FEWEST_FRESH, found[0][0].batches // 10))
    learned = at_start - float(epoch.side.loss.mean())
    # That of the middle leaves more batches, but tells nothing of a model that had hardly begun to learn by then.
    late = [each for each in found if each[0].batches >= _MIDDLE * epoch.totals.batches]
    copy, fresh = next(
        (each for each in late if at_start - _loss_around(training, each[0]) >= _HALF_LEARNED * learned), found[-1]
    )
    repeated = leak.fraction_seen_before(epoch.epoch, copy.batches, fresh)
    if repeated > _REPEATED:
        raise Unsupported("Samples repeat within the first epoch, so no batch is known to be new to the model.")
    chosen = up_to(validation, MOST_RERUN, epoch.epoch)
    batches = [batch for _, batch in fresh]
    variables = copy.variables()
    train = probe.with_variables(batches, variables)
    other = probe.with_variables([batch for _, batch in chosen], variables)
    has_accuracy = epoch.side.correct is not None
    metrics = probe.training.plan.outputs[0]
    # By the rule of both sides: samples that don't count for the loss are a class of their own.
    labels = labels_of(metrics, train, has_classes=True), labels_of(metrics, other, has_classes=True)
    return FreshTest(
        Fresh(
            batch=np.repeat(np.arange(len(batches)), [batch.samples for batch in batches]),
            label=labels[0],
            loss=train["loss"],
            correct=train["correct"] if has_accuracy else None,
            validation_sample=samples_of(chosen, epoch),
            validation_label=labels[1],
            validation_loss=other["loss"],
            validation_correct=other["correct"] if has_accuracy else None,
            batches_before=copy.batches,
            features=_features(epoch, (batches, [batch for _, batch in chosen]), (train, other), labels),
        ),
        _trained_loss(training, 0, max(1, copy.batches // 10)),
        _loss_around(training, copy),
        epoch.side.loss.size,
    )


def _features(
    epoch: EpochToOpen,
    batches: tuple[Sequence[UnpackedBatch], Sequence[UnpackedBatch]],
    values: tuple[Mapping[str, FloatArray], Mapping[str, FloatArray]],
    labels: tuple[IntArray, IntArray],
) -> Features:
    """Return what samples of training and validation are like; of both sides each.

    Args:
        epoch: which ended.
        batches: of both sides.
        values: of their samples at the fresh-batch test.
        labels: likewise.

    Raises:
        Unsupported: inputs can't be compared.
    """
    leaves = [[concatenate(group).inputs["x"] for group in same_shapes(side)] for side in batches]
    signer = Signer.of(leaves[0][0])
    parts = [[signer.sign(each) if signer is not None else None for each in side] for side in leaves]
    known = [[part for part in side if part is not None] for side in parts]
    if signer is None or any(len(side) < len(all_of) for side, all_of in zip(known, parts, strict=True)):
        raise Unsupported(
            "The inputs are identifiers or of several shapes: how alike both sides are can't be measured."
        )
    inputs = np.concatenate(known[0]), np.concatenate(known[1])
    separated = separability(inputs[0].astype(np.float64), inputs[1].astype(np.float64))
    if separated > _MOST_SEPARABLE:
        raise Unsupported(
            f"The data differ: a simple classifier tells validation's inputs from training's (AUC {separated:.2f}). "
            "They hardly overlap, so what that costs can't be told from memorised samples."
        )
    signed = principal_components(*inputs, _COMPONENTS)
    sides = [
        np.column_stack([inputs, rows["loss"], rows["correct"]]) for inputs, rows in zip(signed, values, strict=True)
    ]
    if Strata.of(epoch.side).share.size == 1:
        labels = np.zeros_like(labels[0]), np.zeros_like(labels[1])
    return features(sides[0], labels[0], sides[1], labels[1])


def _fresh_batches(
    copies: Sequence[WeightCopy], training: Sequence[PlacedBatch]
) -> list[tuple[WeightCopy, list[PlacedBatch]]]:
    """Return the copies of the weights with a fifth of the kept batches after them, and these, the earliest first."""
    found = []
    for copy in copies:
        fresh = [(index, batch) for index, batch in training if index >= copy.batches]
        if len(fresh) >= max(_FEWEST_FRESH, len(training) // 5):
            found.append((copy, up_to(fresh, MOST_RERUN, copy.batches)))
    return found


def _loss_around(training: Sequence[PlacedBatch], copy: WeightCopy) -> float:
    return _trained_loss(training, copy.batches, copy.batches + max(4, copy.batches // 4))


def _trained_loss(training: Sequence[PlacedBatch], first: int, end: int) -> float:
    """Return the mean loss, as trained on, of kept batches in a range, else of those nearest to its begin."""
    inside = [batch.loss for index, batch in training if first <= index < end]
    if not inside:
        inside = [min(training, key=lambda entry: abs(entry[0] - first))[1].loss]
    return float(np.mean(inside))
