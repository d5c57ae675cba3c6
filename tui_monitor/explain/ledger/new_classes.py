"""Classes that validation holds and training lacks: no weight of training's samples gives it theirs.

They are part of what class shares do. Training's mean moves to validation's shares of the classes that both hold, and
validation's mean to what it is without the others; what is left differs within classes.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tui_monitor import units
from tui_monitor.explain.ledger.estimates import RESAMPLES, ValidationValue, padded, validation_value
from tui_monitor.explain.ledger.within import OPENED_CAUSES, Within
from tui_monitor.explain.samples.probes import Averaging, FloatArray, TrainingProbe, ValidationProbe, Weighting
from tui_monitor.run_log.events.ledger import Cause

_FEW: Final = 0.01
"""Share of validation in new classes up to which what was measured of all its samples is that of the others."""


@dataclass(frozen=True)
class NewClasses:
    """Validation's mean without the classes that are new to the model."""

    share: float
    """Of validation, in new classes; 1 where all are new."""
    plain: float
    """Every other sample counting the same; NaN without any."""
    deviation: FloatArray
    """Bootstrap deviations of it, shape (resamples,)."""

    def move(self, point: dict[Cause, float], spread: dict[Cause, FloatArray], measured: ValidationValue) -> None:
        """Have the class mix take what new classes do from the within-class term.

        Args:
            point: of each term; changed in place.
            spread: deviations of each term; likewise.
            measured: validation's mean with all classes.
        """
        if self.share < 1.0:
            moved, deviation = self.plain - measured.plain, self.deviation - measured.deviation
        else:
            moved, deviation = point[Cause.WITHIN_CLASS], spread[Cause.WITHIN_CLASS]
        with np.errstate(invalid="ignore"):
            # A side measured on one batch has no known spread: infinite, or NaN for both.
            for cause, sign in ((Cause.CLASS_MIX, 1.0), (Cause.WITHIN_CLASS, -1.0)):
                point[cause] += sign * moved
                spread[cause] = spread[cause] + sign * deviation

    @property
    def unopened(self) -> Within | None:
        """Why the within-class term is not opened; None where few samples are of new classes."""
        if self.share <= _FEW:
            return None
        reason = f"Training has no sample of the classes that {units.percentage(self.share)} of validation belong to."
        return Within({}, dict.fromkeys(OPENED_CAUSES, reason))


def new_classes(probe: TrainingProbe, validation: ValidationProbe, values: FloatArray, seed: int) -> NewClasses | None:
    """Return what validation's mean of one metric is without classes that no training sample of the epoch has.

    Args:
        probe: of training.
        validation: with at least one sample.
        values: the metric of each of its samples, shape (n,).
        seed: of the bootstrap that the mean of all samples has.

    Returns:
        That, or None where there are no such classes, or none at all.
    """
    train, held = probe.epoch_class_counts, validation.class_counts
    if train is None or held is None or not train.sum() or not held.sum():
        return None
    size = max(train.size, held.size, int(validation.label.max(initial=0)) + 1)
    is_new = (padded(held, size) > 0) & (padded(train, size) == 0)
    if not is_new.any():
        return None
    kept = ~is_new[validation.label]
    known = np.where(is_new[: held.size], 0, held)
    share = 1.0 - float(known.sum() / held.sum())
    if not kept.any():
        return NewClasses(1.0, float("nan"), np.zeros(RESAMPLES))
    others = replace(
        validation,
        batch=validation.batch[kept],
        label=validation.label[kept],
        weight=np.ones(int(kept.sum())),
        class_counts=known,
        # As many batches as before, so that both means are resampled alike.
        batch_samples=np.bincount(validation.batch, minlength=validation.batches).astype(np.float64),
    )
    found = validation_value(others, values[kept], Weighting.NONE, Averaging.SAMPLES, seed)
    return NewClasses(share, found.plain, found.deviation)
