"""Checks that are no terms: each raised where its fault is planted, none on healthy samples."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tui_monitor.explain.evidence.check_results import (
    Check,
    Drift,
    LabelMap,
    LabelShift,
    LogitThreshold,
    MissingClasses,
    NotFinite,
    NotShuffled,
    PenaltyInOneMode,
    Repeated,
    WrongScale,
)
from tui_monitor.explain.evidence.checks import checks
from tui_monitor.explain.samples.observed import Observed, OutputScale, ValidationChange
from tui_monitor.explain.samples.probes import Averaging, PerSampleMetric, TrainingProbe, ValidationProbe, Weighting
from tui_monitor.explain.words.checked import checked

Sides = tuple[TrainingProbe, ValidationProbe, Observed]
CLASSES = 5


def healthy(seed: int, validation: int = 600, accuracy: float = 0.8, batches: int = 40) -> Sides:
    """Return both sides of a run in which nothing is planted; its classes are drawn, its batches shuffled."""
    generator = np.random.default_rng(seed)
    shares = generator.dirichlet(np.full(CLASSES, 40.0))

    def side(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        label = generator.choice(CLASSES, size=size, p=shares)
        is_right = generator.random(size) < accuracy
        predicted = np.where(is_right, label, generator.integers(0, CLASSES, size))
        return label, predicted, generator.exponential(0.4, size) + 0.7 * (predicted != label)

    label, predicted, loss = side(batches * 32)
    right = (label == predicted).astype(float)
    counts = np.stack([np.bincount(part, minlength=CLASSES) for part in np.split(label, batches)])
    share = counts.sum(axis=0) / counts.sum()
    held = share > 0
    chi_squared = float((((counts - 32 * share) ** 2)[:, held] / (32 * share[held])).sum())
    training = TrainingProbe(
        batch=np.repeat(np.arange(batches), 32),
        label=label,
        predicted=predicted,
        weight=np.ones(label.size),
        loss=PerSampleMetric(loss, loss, loss, float(loss.mean()), Averaging.SAMPLES, Weighting.PER_SAMPLE),
        accuracy=PerSampleMetric(right, right, right, float(right.mean()), Averaging.SAMPLES, Weighting.NONE),
        epoch_batches=batches,
        epoch_class_counts=counts.sum(axis=0),
        confidence=generator.uniform(0.5, 1.0, label.size),
    )
    label, predicted, loss = side(validation)
    other = ValidationProbe(
        batch=np.arange(validation) // 32,
        label=label,
        predicted=predicted,
        weight=np.ones(validation),
        loss=loss,
        correct=(label == predicted).astype(float),
        reported_loss=float(loss.mean()),
        reported_accuracy=float((label == predicted).mean()),
        class_counts=np.bincount(label, minlength=CLASSES),
        complete=True,
        confidence=generator.uniform(0.5, 1.0, validation),
    )
    observed = Observed(
        class_dispersion=chi_squared,
        class_freedom=int((held.sum() - 1) * (batches - 1)),
        validation_samples=validation,
        validation_distinct=validation,
    )
    return training, other, observed


def _relabelled(sides: Sides, label: np.ndarray) -> Sides:
    training, validation, observed = sides
    counts = np.bincount(label, minlength=CLASSES)
    correct = (label == validation.predicted).astype(float)
    return training, replace(validation, label=label, correct=correct, class_counts=counts), observed


def _swapped(sides: Sides) -> Sides:
    return _relabelled(sides, np.array([0, 2, 1, 3, 4])[sides[1].label])


def _shifted(sides: Sides) -> Sides:
    return _relabelled(sides, np.roll(sides[1].label, 1))


def _drifting(sides: Sides) -> Sides:
    training, validation, observed = sides
    return training, replace(validation, loss=validation.loss * np.linspace(0.5, 1.5, validation.loss.size)), observed


def _without_class(sides: Sides) -> Sides:
    training, validation, observed = sides
    kept = validation.label != validation.label[0]
    part = {
        name: getattr(validation, name)[kept]
        for name in ("batch", "label", "predicted", "weight", "loss", "correct", "confidence")
    }
    return training, replace(validation, **part, class_counts=np.bincount(part["label"], minlength=CLASSES)), observed


def _not_finite(sides: Sides) -> Sides:
    training, validation, observed = sides
    loss = validation.loss.copy()
    loss[3] = np.nan
    return training, replace(validation, loss=loss), observed


def _binary(sides: Sides) -> Sides:
    training, validation, observed = sides
    sure = np.full(validation.label.size, 0.6)
    label, predicted = np.ones_like(validation.label), np.zeros_like(validation.label)
    # Sure to 0.6 of class 1, which a threshold of 0.5 on the logit of 0.405 calls class 0.
    other = replace(validation, label=label, predicted=predicted, confidence=1.0 - sure, correct=np.zeros(sure.size))
    return training, other, replace(observed, logit_threshold=0.5)


def _observing(**changed: object) -> Callable[[Sides], Sides]:
    return lambda sides: (sides[0], sides[1], replace(sides[2], **changed))  # type: ignore[arg-type]


PLANTED: dict[type[Check], Callable[[Sides], Sides]] = {
    LabelMap: _swapped,
    LabelShift: _shifted,
    Drift: _drifting,
    MissingClasses: _without_class,
    NotFinite: _not_finite,
    LogitThreshold: _binary,
    NotShuffled: _observing(class_dispersion=900.0, class_freedom=156),
    ValidationChange: _observing(validation_change=ValidationChange(600, 600, 14)),
    Repeated: _observing(validation_samples=600, validation_distinct=300),
    WrongScale: _observing(output_scale=OutputScale.PROBABILITIES_AS_LOGITS),
    PenaltyInOneMode: _observing(penalty_in_training=0.2),
}


@pytest.mark.parametrize("kind", PLANTED, ids=lambda kind: kind.__name__)
def test_each_check_finds_what_is_planted(kind: type[Check]) -> None:
    """Its own fault raises it in every run, and its finding says so with a line of code."""
    for seed in range(10):
        raised = checks(*PLANTED[kind](healthy(seed)))
        found = [check for check in raised if isinstance(check, kind)]
        assert len(found) == 1, raised
        finding = checked(found[0])
        assert finding.sentence.endswith(".")
        assert finding.advice
        assert finding.code


def test_what_is_found_is_what_was_planted() -> None:
    """The classes that were swapped, the places that labels were shifted by, and what their own map gives."""
    sides = healthy(3)
    swapped = next(check for check in checks(*_swapped(sides)) if isinstance(check, LabelMap))
    assert set(swapped.moved) == {(1, 2), (2, 1)}
    assert swapped.accuracy_mapped == pytest.approx(float((sides[1].label == sides[1].predicted).mean()))
    shifted = next(check for check in checks(*_shifted(sides)) if isinstance(check, LabelShift))
    assert shifted.places == 1


@pytest.mark.parametrize("accuracy", [0.25, 0.6, 0.95])
def test_healthy_runs_raise_nothing(accuracy: float) -> None:
    """Of 400 healthy runs, all checks together raise at most one."""
    raised = [
        check
        for seed in range(400)
        for check in checks(*healthy(seed, validation=40 + 7 * (seed % 200), accuracy=accuracy, batches=20))
    ]
    assert len(raised) <= 1, raised


def test_equal_losses_make_no_trend() -> None:
    """Samples that share a few values of the loss, as of a few distinct inputs, do not count as ordered."""
    training, validation, observed = healthy(1, validation=2000)
    loss = np.random.default_rng(0).integers(0, 3, 2000).astype(float)
    raised = checks(training, replace(validation, loss=loss), observed)
    assert not any(isinstance(check, Drift) for check in raised)
