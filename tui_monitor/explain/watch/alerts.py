"""What needs a look, from figures alone: each alert is beyond noise, says what was seen, and comes once an episode."""

import math
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from tui_monitor import units
from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.explain.watch.trends import Windows, falls, is_flat, noise
from tui_monitor.run_log.events.explanation import Explanation


class AlertKind(StrEnum):
    """What an alert is about."""

    NOT_FINITE = "not_finite"
    DIVERGENCE = "divergence"
    PLATEAU = "plateau"
    OVERFITTING = "overfitting"
    STALL = "stall"
    NEVER_PREDICTED = "never_predicted"
    SMALL_VALIDATION = "small_validation"


@dataclass(frozen=True)
class Alert:
    """One thing that needs a look."""

    kind: AlertKind
    sentence: str
    epoch: int
    """From 1."""


@dataclass(frozen=True)
class EpochFigures:
    """What one epoch reported."""

    epoch: int
    """From 1."""
    loss: float | None
    """Training loss; None where it was not logged, NaN and infinities as they are."""
    val_loss: float | None
    """Likewise for validation."""
    val_error: float | None = None
    """Standard error of `val_loss` from its samples; None where it is unknown."""


PLATEAU_EPOCHS = 10
"""Epochs without any sign of a lower loss that make a plateau."""
_FEWEST_FOR_OVERFITTING = 5
_STANDARD_ERRORS = 2.0
_NOISE_MULTIPLE = 4.0
_SMALLEST_RISE = 0.02
"""Share of the best validation loss that a rise must exceed."""
_FEWEST_OF_A_CLASS = 10
_WIDE_ACCURACY = 0.05
"""Half-width of validation accuracy's 95 % interval from which validation counts as too small."""
_NORMAL_QUANTILE = 1.959964


@dataclass
class AlertWatch:
    """Takes the figures of one `fit` call as they come and returns what is new to say."""

    _under_way: set[AlertKind] = field(default_factory=set)
    _epochs: list[EpochFigures] = field(default_factory=list)
    _windows: Windows = field(default_factory=Windows)
    _missing_before: frozenset[str] = frozenset()

    def batches(self, epoch: int, batches: int, mean_loss: float) -> tuple[Alert, ...]:
        """Take the epoch so far: cheap enough for several times a second.

        Args:
            epoch: from 1.
            batches: done in it.
            mean_loss: mean of their losses, every batch counting the same.
        """
        if not batches:
            return ()
        if not math.isfinite(mean_loss):
            text = f"The training loss became {_spelled(mean_loss)} by batch {units.count(batches)} of epoch {epoch}."
            return self._told(AlertKind.NOT_FINITE, f"{text} {_AFTER_NAN}", epoch, is_there=True)
        rise = self._windows.take(epoch, batches, mean_loss)
        if rise is None:
            return ()
        low, high = rise
        text = f"The training loss rises: {units.figure(high)} over the last batches, after {units.figure(low)}."
        return self._told(AlertKind.DIVERGENCE, f"{text} {_AFTER_RISE}", epoch, is_there=True)

    def epoch(self, figures: EpochFigures) -> tuple[Alert, ...]:
        """Take an epoch's figures."""
        self._epochs.append(figures)
        return (
            *self._not_finite(figures),
            *self._divergence(figures),
            *self._overfitting(figures),
            *self._plateau(figures),
        )

    def explanation(self, explanation: Explanation) -> tuple[Alert, ...]:
        """Take what was measured at an epoch's end."""
        return (*self._never_predicted(explanation), *self._small_validation(explanation))

    def _told(self, kind: AlertKind, sentence: str, epoch: int, *, is_there: bool) -> tuple[Alert, ...]:
        """Return the alert at the beginning of its episode; one that is no longer there may come again."""
        if not is_there:
            self._under_way.discard(kind)
            return ()
        if kind in self._under_way:
            return ()
        self._under_way.add(kind)
        return (Alert(kind, sentence, epoch),)

    def _not_finite(self, figures: EpochFigures) -> tuple[Alert, ...]:
        sides = (("training", figures.loss), ("validation", figures.val_loss))
        bad = [(name, value) for name, value in sides if value is not None and not math.isfinite(value)]
        said = " and ".join(f"the {name} loss is {_spelled(value)}" for name, value in bad)
        text = f"{said[:1].upper()}{said[1:]} in epoch {figures.epoch}. {_AFTER_NAN}"
        return self._told(AlertKind.NOT_FINITE, text, figures.epoch, is_there=bool(bad))

    def _divergence(self, figures: EpochFigures) -> tuple[Alert, ...]:
        losses = _finite([row.loss for row in self._epochs])
        if figures.loss is None or not math.isfinite(figures.loss) or losses.size < 2:
            return ()
        first, best = float(losses[0]), float(losses.min())
        gone_up = figures.loss >= first and figures.loss > best + 0.5 * abs(best) and figures.loss > best
        text = (
            f"The training loss is {units.figure(figures.loss)} in epoch {figures.epoch}, after {units.figure(best)} "
            f"at its best: what was learned is lost."
        )
        if not gone_up and figures.loss > (first + best) / 2:
            return ()
        return self._told(AlertKind.DIVERGENCE, f"{text} {_AFTER_RISE}", figures.epoch, is_there=gone_up)

    def _overfitting(self, figures: EpochFigures) -> tuple[Alert, ...]:
        rows = [row for row in self._epochs if _known(row.loss) and _known(row.val_loss)]
        if len(rows) < _FEWEST_FOR_OVERFITTING or rows[-1] is not figures:
            return ()
        train = np.array([row.loss for row in rows], dtype=np.float64)
        validation = np.array([row.val_loss for row in rows], dtype=np.float64)
        paired = (validation[1:] + validation[:-1]) / 2
        best = int(np.argmin(paired[:-2])) if paired.size > 2 else 0
        lowest = float(paired[best])
        threshold = max(
            _STANDARD_ERRORS * (figures.val_error or 0.0),
            _NOISE_MULTIPLE * noise(validation),
            _SMALLEST_RISE * abs(lowest),
        )
        both_above = bool((validation[-2:] > lowest + threshold).all())
        train_then = float(train[best : best + 2].mean())
        training_falls = bool((train[-2:] < train_then).all()) and float(train[-1]) <= float(train[best:].mean())
        if both_above and training_falls:
            at = rows[best].epoch if validation[best] < validation[best + 1] else rows[best + 1].epoch
            text = (
                f"Overfitting since about epoch {at}: validation loss rose from {units.figure(lowest)} to "
                f"{units.figure(float(validation[-1]))} while training loss fell. Keep the weights of epoch {at}, or "
                "regularise."
            )
            return self._told(AlertKind.OVERFITTING, text, figures.epoch, is_there=True)
        if validation[-1] <= lowest + threshold / 2:
            self._under_way.discard(AlertKind.OVERFITTING)
        return ()

    def _plateau(self, figures: EpochFigures) -> tuple[Alert, ...]:
        rows = self._epochs[-PLATEAU_EPOCHS:]
        if len(rows) < PLATEAU_EPOCHS:
            return ()
        sides = [("training", [row.loss for row in rows]), ("validation", [row.val_loss for row in rows])]
        held = [(name, _finite(values)) for name, values in sides]
        held = [(name, values) for name, values in held if values.size == PLATEAU_EPOCHS]
        flat = bool(held) and held[0][0] == "training" and all(is_flat(values) for _, values in held)
        names = " and ".join(name for name, _ in held)
        text = (
            f"The {names} loss has not fallen for {PLATEAU_EPOCHS} epochs (training {units.figure(figures.loss)}): "
            "converged or stuck. Stop, or change the learning rate."
        )
        if not flat and held and not any(falls(values) for _, values in held):
            return ()
        return self._told(AlertKind.PLATEAU, text, figures.epoch, is_there=flat)

    def _never_predicted(self, explanation: Explanation) -> tuple[Alert, ...]:
        classes, held = explanation.classes, explanation.distributions
        if classes is None or held is None or not held.validation_samples:
            return ()
        missing = frozenset(
            label
            for label, share, train, validation in zip(
                classes.labels,
                classes.validation_share,
                classes.train_precision,
                classes.validation_precision,
                strict=False,
            )
            if validation is None and train is None and share * held.validation_samples >= _FEWEST_OF_A_CLASS
        )
        lasting, self._missing_before = missing & self._missing_before, missing
        if not missing:
            self._under_way.discard(AlertKind.NEVER_PREDICTED)
        if not lasting:
            return ()
        first = min(lasting, key=classes.labels.index)
        share = classes.validation_share[classes.labels.index(first)]
        text = f"Class {first} is never predicted, though {units.share(share, 1)} of validation belongs to it."
        if len(lasting) > 1:
            text = f"{len(lasting)} classes are never predicted, the first of them class {first}."
        return self._told(AlertKind.NEVER_PREDICTED, text, explanation.epoch, is_there=True)

    def _small_validation(self, explanation: Explanation) -> tuple[Alert, ...]:
        held = explanation.distributions
        accuracy = explanation.reported.get("val_accuracy")
        if held is None or not held.validation_samples or accuracy is None:
            return ()
        half = accuracy_half_width(accuracy, held.validation_samples)
        text = (
            f"Validation has {units.count(held.validation_samples)} samples: its accuracy is known to "
            f"±{units.points(half)} only. Smaller differences are chance."
        )
        if half <= _WIDE_ACCURACY:
            return ()
        return self._told(AlertKind.SMALL_VALIDATION, text, explanation.epoch, is_there=True)


_AFTER_NAN = "Lower the learning rate, clip gradients, or look for bad inputs."
_AFTER_RISE = "Lower the learning rate, or stop."


def accuracy_half_width(accuracy: float, samples: int) -> float:
    """Return half the 95 % interval of an accuracy (Agresti and Coull, 1998).

    Args:
        accuracy: from 0 to 1.
        samples: at least 1.
    """
    centre = (accuracy * samples + 2) / (samples + 4)
    return _NORMAL_QUANTILE * math.sqrt(max(0.0, centre * (1 - centre)) / (samples + 4))


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _finite(values: list[float | None]) -> FloatArray:
    return np.array([value for value in values if value is not None and math.isfinite(value)], dtype=np.float64)


def _spelled(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"
