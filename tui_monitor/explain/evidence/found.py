"""What the views show of what was found: where copies stand, which classes are moved, how loss runs over the order."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from tui_monitor.explain.evidence.check_results import Check, LabelMap
from tui_monitor.explain.samples.opened import NOT_COMPARED, Leak
from tui_monitor.explain.samples.probes import FloatArray, IntArray, TrainingProbe, ValidationProbe, loss_within_classes
from tui_monitor.run_log.events.opened import CopyPlaces, MovedClass, MovedClasses, SampleOrder

_PARTS: Final = 48
"""Parts of validation's order for which copies are counted."""
_ORDER_PARTS: Final = 24
"""Parts for which losses are averaged, and class shares of training's batches."""
_FEWEST_IN_PART: Final = 5
_MOST_CLASSES: Final = 6


def copy_places(leak: Leak) -> CopyPlaces | None:
    """Return which parts of validation's order are copies; None where none was found."""
    if not leak.found.copies:
        return None
    parts = np.array_split(leak.matched, min(_PARTS, leak.matched.size))
    compared = [part[part != NOT_COMPARED] for part in parts]
    fractions = [None if not part.size else round(float((part == 1).mean()), 4) for part in compared]
    return CopyPlaces(int(leak.matched.size), tuple(fractions))


def moved_classes(checks: Sequence[Check], probe: TrainingProbe, validation: ValidationProbe) -> MovedClasses | None:
    """Return how often each moved class is taken for another on both sides; None where no map of classes was found."""
    check = next((check for check in checks if isinstance(check, LabelMap)), None)
    if check is None:
        return None
    moved = tuple(
        MovedClass(
            str(own),
            str(said),
            _taken_for(probe.label, probe.predicted, own, said),
            _taken_for(probe.label, probe.predicted, own, own),
            _taken_for(validation.label, validation.predicted, own, said) or 0.0,
            _taken_for(validation.label, validation.predicted, own, own) or 0.0,
        )
        for own, said in check.moved
    )
    return MovedClasses(moved, check.accuracy, check.accuracy_mapped)


def _taken_for(label: IntArray, predicted: IntArray, own: int, said: int) -> float | None:
    of_class = predicted[label == own]
    return round(float((of_class == said).mean()), 4) if of_class.size else None


def sample_order(probe: TrainingProbe, validation: ValidationProbe) -> SampleOrder | None:
    """Return how validation's loss runs over its order, class for class, and training's classes over its batches.

    None where validation is not whole, or too small for parts.
    """
    size = validation.loss.size
    if not validation.complete or size < _ORDER_PARTS * _FEWEST_IN_PART or not np.isfinite(validation.loss).all():
        return None
    parts = np.array_split(loss_within_classes(validation) + validation.loss.mean(), _ORDER_PARTS)
    labels, shares = _classes_over_batches(probe)
    return SampleOrder(
        samples=size,
        loss=tuple(_short(part.mean()) for part in parts),
        error=tuple(_short(part.std() / math.sqrt(part.size)) for part in parts),
        classes=labels,
        train_shares=shares,
    )


def _short(value: FloatArray | np.float64) -> float:
    return float(f"{float(value):.4g}")


def _classes_over_batches(probe: TrainingProbe) -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]:
    """Return training's commonest classes, and the share of each in parts of the probed batches, in their order."""
    batches = probe.batches
    if batches < _ORDER_PARTS or (probe.label < 0).any():
        return (), ()
    counts = np.bincount(probe.label)
    common = np.sort(np.argsort(-counts, kind="stable")[: min(_MOST_CLASSES, int((counts > 0).sum()))])
    part = probe.batch * _ORDER_PARTS // batches
    sizes = np.bincount(part, minlength=_ORDER_PARTS)
    shares = [np.bincount(part[probe.label == index], minlength=_ORDER_PARTS) / sizes for index in common]
    return tuple(map(str, common)), tuple(tuple(round(float(value), 3) for value in share) for share in shares)
