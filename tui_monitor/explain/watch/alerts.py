"""What needs attention, from values alone: an alert is beyond noise, says what was seen, and comes once an episode."""

import math
from array import array
from dataclasses import dataclass, field

import numpy as np

from tui_monitor import units
from tui_monitor.explain.watch.episodes import Alert, AlertKind, Episodes
from tui_monitor.explain.watch.trends import NewestTrend, Windows, noise
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Cause, Verdict


@dataclass(frozen=True)
class EpochLosses:
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
_NEWEST_FOR_NOISE = 12
"""Epochs that `noise` looks at."""
_STANDARD_ERRORS = 2.0
_NOISE_MULTIPLE = 4.0
_MOST_REPEATS = 3
_SMALLEST_RISE = 0.02
"""Fraction of the best validation loss that a rise must exceed."""
_FEWEST_OF_A_CLASS = 10
_WIDE_ACCURACY = 0.05
"""Half-width of validation accuracy's 95 % interval from which validation counts as too small."""
_NORMAL_QUANTILE = 1.959964


@dataclass
class _Losses:
    """What divergence is found from: finite training losses so far."""

    count: int = 0
    first: float = math.nan
    lowest: float = math.inf

    def add(self, loss: float) -> None:
        """Take an epoch's loss."""
        self.first = loss if not self.count else self.first
        self.count += 1
        self.lowest = min(self.lowest, loss)


@dataclass
class _Pairs:
    """What overfitting is found from: epochs with finite losses of both sides. Each is taken once, in constant time."""

    epochs: "array[int]" = field(default_factory=lambda: array("q"))
    train: "array[float]" = field(default_factory=lambda: array("d"))
    validation: "array[float]" = field(default_factory=lambda: array("d"))
    best: int = 0
    """Index of the first of the two epochs with the lowest mean validation loss, the newest two means not counted."""
    sums: "array[float]" = field(default_factory=lambda: array("d", [0.0]))
    """Sum of the training losses before each index."""

    def add(self, epoch: int, loss: float, val_loss: float) -> None:
        """Take an epoch."""
        self.epochs.append(epoch)
        self.train.append(loss)
        self.validation.append(val_loss)
        self.sums.append(self.sums[-1] + loss)
        newest = len(self.validation) - 4
        if newest >= 0 and self._mean(newest) < self._mean(self.best):
            self.best = newest

    @property
    def lowest(self) -> float:
        """The lowest mean validation loss of two epochs."""
        return self._mean(self.best)

    @property
    def best_epoch(self) -> int:
        """The better of the two epochs with the lowest mean."""
        first = self.validation[self.best] < self.validation[self.best + 1]
        return self.epochs[self.best if first else self.best + 1]

    @property
    def training_falls(self) -> bool:
        """Whether the training loss is below what it was then, and not above its mean since."""
        then = (self.train[self.best] + self.train[self.best + 1]) / 2
        mean = (self.sums[-1] - self.sums[self.best]) / (len(self.train) - self.best)
        return max(self.train[-2:]) < then and self.train[-1] <= mean

    def _mean(self, index: int) -> float:
        return (self.validation[index] + self.validation[index + 1]) / 2


@dataclass
class AlertWatch:
    """Takes the values of one `fit` call as they come and returns what is new to say."""

    _episodes: Episodes = field(default_factory=Episodes)
    _high_before: bool = False
    """Whether the training loss was far above its best in the epoch before, too."""
    _trends: tuple[NewestTrend, NewestTrend] = field(
        default_factory=lambda: (NewestTrend(PLATEAU_EPOCHS), NewestTrend(PLATEAU_EPOCHS))
    )
    """Of the losses of training and validation."""
    _losses: _Losses = field(default_factory=_Losses)
    _pairs: _Pairs = field(default_factory=_Pairs)
    _windows: Windows = field(default_factory=Windows)
    _missing_before: frozenset[str] = frozenset()
    _other_cause: str = ""
    """What else than overfitting is the main cause of the loss gap as last measured, a clause; empty where none is."""

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
            return self._episodes.there(AlertKind.NOT_FINITE, f"{text} {_AFTER_NAN}", epoch)
        rise = self._windows.take(epoch, batches, mean_loss)
        if rise is None:
            return ()
        low, high = rise
        text = f"The training loss rises: {units.rounded(high)} over the last batches, after {units.rounded(low)}."
        return self._episodes.there(AlertKind.DIVERGENCE, f"{text} {_AFTER_RISE}", epoch)

    def epoch(self, losses: EpochLosses) -> tuple[Alert, ...]:
        """Take an epoch's values."""
        return (
            *self._not_finite(losses),
            *self._divergence(losses),
            *self._overfitting(losses),
            *self._plateau(losses),
        )

    def explanation(self, explanation: Explanation) -> tuple[Alert, ...]:
        """Take what was measured at an epoch's end."""
        self._other_cause = _other_cause(explanation)
        return (*self._never_predicted(explanation), *self._small_validation(explanation))

    def _not_finite(self, losses: EpochLosses) -> tuple[Alert, ...]:
        sides = (("training", losses.loss), ("validation", losses.val_loss))
        bad = [(name, value) for name, value in sides if value is not None and not math.isfinite(value)]
        if not bad:
            return self._episodes.over(AlertKind.NOT_FINITE, losses.epoch)
        said = " and ".join(f"the {name} loss is {_spelled(value)}" for name, value in bad)
        text = f"{said[:1].upper()}{said[1:]} in epoch {losses.epoch}. {_AFTER_NAN}"
        return self._episodes.there(AlertKind.NOT_FINITE, text, losses.epoch)

    def _divergence(self, losses: EpochLosses) -> tuple[Alert, ...]:
        if losses.loss is None or not math.isfinite(losses.loss):
            return ()
        self._losses.add(losses.loss)
        if self._losses.count < 2:
            return ()
        first, best = self._losses.first, self._losses.lowest
        gone_up = losses.loss >= first and losses.loss > best + 0.5 * abs(best) and losses.loss > best
        was_high, self._high_before = self._high_before, gone_up
        if not gone_up:
            if losses.loss <= (first + best) / 2:
                return self._episodes.over(AlertKind.DIVERGENCE, losses.epoch)
            return ()
        if not was_high:
            return ()
        text = (
            f"The training loss is {units.rounded(losses.loss)} in epoch {losses.epoch}, after {units.rounded(best)} "
            f"at its best: what was learned is lost."
        )
        return self._episodes.there(AlertKind.DIVERGENCE, f"{text} {_AFTER_RISE}", losses.epoch, losses.loss - best)

    def _overfitting(self, losses: EpochLosses) -> tuple[Alert, ...]:
        loss, val_loss = losses.loss, losses.val_loss
        if loss is None or val_loss is None or not math.isfinite(loss) or not math.isfinite(val_loss):
            return ()
        pairs = self._pairs
        pairs.add(losses.epoch, loss, val_loss)
        if len(pairs.train) < _FEWEST_FOR_OVERFITTING:
            return ()
        lowest = pairs.lowest
        threshold = max(_STANDARD_ERRORS * (losses.val_error or 0.0), _SMALLEST_RISE * abs(lowest))
        # Each episode that has ended asks for one more epoch before the next: noise then tells it no second time.
        newest = pairs.validation[-2 - min(self._episodes.begun(AlertKind.OVERFITTING), _MOST_REPEATS) :]
        is_above = min(newest) > lowest + threshold
        if is_above:
            threshold = max(threshold, _NOISE_MULTIPLE * noise(np.array(pairs.validation[-_NEWEST_FOR_NOISE:])))
            is_above = min(newest) > lowest + threshold
        if is_above and pairs.training_falls:
            at = pairs.best_epoch
            change = f"from {units.rounded(lowest)} to {units.rounded(val_loss)}"
            text = (
                f"Overfitting since about epoch {at}: validation loss rose {change} while training loss fell. Keep the "
                f"weights of epoch {at}, or regularise."
            )
            if self._other_cause:
                text = (
                    f"Validation loss has risen {change} since about epoch {at} while training loss fell; but "
                    f"{self._other_cause}: this need not be overfitting."
                )
            return self._episodes.there(AlertKind.OVERFITTING, text, losses.epoch, val_loss - lowest)
        if AlertKind.OVERFITTING in self._episodes:
            threshold = max(threshold, _NOISE_MULTIPLE * noise(np.array(pairs.validation[-_NEWEST_FOR_NOISE:])))
        if max(pairs.validation[-2:]) <= lowest + threshold / 2:
            return self._episodes.over(AlertKind.OVERFITTING, losses.epoch)
        return ()

    def _plateau(self, losses: EpochLosses) -> tuple[Alert, ...]:
        train, validation = self._trends
        train.add(losses.loss)
        validation.add(losses.val_loss)
        held = [(name, side) for name, side in (("training", train), ("validation", validation)) if side.is_known]
        if held and AlertKind.PLATEAU in self._episodes and not any(side.falls for _, side in held):
            return ()
        flat = train.is_known and all(side.is_flat for _, side in held)
        if not flat:
            if not held or any(side.falls for _, side in held):
                return self._episodes.over(AlertKind.PLATEAU, losses.epoch)
            return ()
        names = " and ".join(name for name, _ in held)
        text = (
            f"The {names} loss has not fallen for {PLATEAU_EPOCHS} epochs (training {units.rounded(losses.loss)}): "
            "converged or stuck. Stop, or change the learning rate."
        )
        return self._episodes.there(AlertKind.PLATEAU, text, losses.epoch)

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
            return self._episodes.over(AlertKind.NEVER_PREDICTED, explanation.epoch)
        if not lasting:
            return ()
        first = min(lasting, key=classes.labels.index)
        share = classes.validation_share[classes.labels.index(first)]
        text = f"Class {first} is never predicted, though {units.percentage(share, 1)} of validation belongs to it."
        if len(lasting) > 1:
            text = f"{len(lasting)} classes are never predicted, the first of them class {first}."
        return self._episodes.there(AlertKind.NEVER_PREDICTED, text, explanation.epoch)

    def _small_validation(self, explanation: Explanation) -> tuple[Alert, ...]:
        held = explanation.distributions
        accuracy = explanation.reported.get("val_accuracy")
        if held is None or not held.validation_samples or accuracy is None:
            return ()
        half = accuracy_half_width(accuracy, held.validation_samples)
        text = (
            f"Validation has {_samples(held.validation_samples)}: its accuracy is known to "
            f"±{units.points(half)} only. Smaller differences are chance."
        )
        if half <= _WIDE_ACCURACY:
            return ()
        return self._episodes.there(AlertKind.SMALL_VALIDATION, text, explanation.epoch)


_AFTER_NAN = "Lower the learning rate, clip gradients, or look for bad inputs."
_AFTER_RISE = "Lower the learning rate, or stop."


_LIKE_OVERFITTING = (Cause.WITHIN_CLASS, Cause.MEMORISED, Cause.UNFAMILIAR)
_OF_LABELS = ("label_map", "labels_shifted", "labels_unrelated")


def _other_cause(explanation: Explanation) -> str:
    """Return what raises validation's loss without overfitting, a clause; empty where nothing of the kind is known."""
    if any(finding.cause in _OF_LABELS for finding in explanation.findings):
        return "validation's labels don't fit its inputs"
    terms = explanation.loss.terms if explanation.loss is not None else ()
    main = next((term.cause for term in terms if term.verdict is Verdict.MAIN and (term.effect or 0.0) < 0), None)
    return "" if main is None or main in _LIKE_OVERFITTING else f"the gap's main cause is “{main.label}”"


def accuracy_half_width(accuracy: float, samples: int) -> float:
    """Return half the 95 % interval of an accuracy (Agresti and Coull, 1998).

    Args:
        accuracy: from 0 to 1.
        samples: at least 1.
    """
    centre = (accuracy * samples + 2) / (samples + 4)
    return _NORMAL_QUANTILE * math.sqrt(max(0.0, centre * (1 - centre)) / (samples + 4))


def _finite(values: list[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]


def _spelled(value: float) -> str:
    return "NaN" if math.isnan(value) else "infinite"


def _samples(count: int) -> str:
    return "1 sample" if count == 1 else f"{units.count(count)} samples"
