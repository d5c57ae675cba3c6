"""Alerts: quiet on healthy courses, and each one there when its cause is planted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app.snapshots import DISTRIBUTIONS, explanation
from tui_monitor.explain.watch.alerts import AlertWatch, EpochLosses
from tui_monitor.explain.watch.episodes import Alert, AlertKind, Stage
from tui_monitor.run_log.events.explanation import Classes, Explanation
from tui_monitor.run_log.events.ledger import Cause, Ledger, Term, Verdict

SEEDS = st.integers(0, 2**32 - 1)


def alerts_of(train: Sequence[float], validation: Sequence[float], error: float | None = None) -> list[Alert]:
    """Return the alerts of a run's epochs, each where it begins."""
    watch = AlertWatch()
    rows = zip(train, validation, strict=True)
    told = [watch.epoch(EpochLosses(i + 1, float(t), float(v), error)) for i, (t, v) in enumerate(rows)]
    return [alert for some in told for alert in some if alert.stage is Stage.BEGAN]


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(3, 40), st.floats(0.001, 0.04))
def test_healthy_runs_are_quiet(seed: int, epochs: int, noise: float) -> None:
    """Losses that fall on, each side with noise of its own and any gap between them, give no alert."""
    generator = np.random.default_rng(seed)
    falling = generator.uniform(0.3, 3) * np.arange(1, epochs + 1) ** -generator.uniform(0.5, 1.2)
    train = falling * (1 + noise / 2 * generator.normal(size=epochs))
    validation = (falling + generator.uniform(0, 0.2)) * (1 + noise / 4 * generator.normal(size=epochs))
    told = alerts_of(train.tolist(), validation.tolist(), float(generator.uniform(0.0005, 0.02)))
    assert [alert for alert in told if alert.kind is not AlertKind.PLATEAU] == []
    watch = AlertWatch()
    losses = np.exp(-np.arange(4000) / 900) + generator.exponential(0.2, 4000)
    for batches in range(10, 4001, 10):
        assert watch.batches(1, batches, float(losses[:batches].mean())) == ()


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(4, 15))
def test_overfitting_is_told_once_near_its_onset(seed: int, onset: int) -> None:
    """Validation that turns up for good while training falls is told once, never before it turned."""
    generator = np.random.default_rng(seed)
    epoch = np.arange(1, 31)
    train = 0.1 + 1.5 * np.exp(-epoch / 8) + 0.005 * generator.normal(size=30)
    rising = np.maximum(0, epoch - onset) * generator.uniform(0.03, 0.08)
    validation = 0.5 + np.exp(-epoch / 4) + rising + 0.01 * generator.normal(size=30)
    told = [
        alert for alert in alerts_of(train.tolist(), validation.tolist(), 0.01) if alert.kind is AlertKind.OVERFITTING
    ]
    assert len(told) == 1
    assert onset < told[0].epoch <= onset + 14
    assert "validation loss rose" in told[0].sentence


@pytest.mark.parametrize(
    ("cause", "words"),
    [(Cause.INPUT_SCALE, "main cause is “Input scale”: this need not"), (Cause.WITHIN_CLASS, "Overfitting since")],
)
def test_a_rise_with_another_cause_is_not_called_overfitting(cause: Cause, words: str) -> None:
    """Where the measured main cause is no kind of overfitting the alert names it; else it says overfitting."""
    watch, told = AlertWatch(), list[Alert]()
    terms = (Term(cause, -0.5, -0.6, -0.4, Verdict.MAIN),)
    for epoch in range(1, 12):
        told += watch.epoch(EpochLosses(epoch, 1 / epoch, 0.5 + 0.1 * epoch))
        watch.explanation(explanation(1, loss=Ledger(-0.5, -0.6, -0.4, False, terms)))
    assert words in told[0].sentence


def test_one_noisy_epoch_is_no_divergence() -> None:
    """A single epoch far above all others is told of nothing, two in a row are."""
    noisy = [1.0, 0.6, 0.4, 5.0, 0.35, 0.3, 0.28, 6.0, 0.27]
    assert AlertKind.DIVERGENCE not in [alert.kind for alert in alerts_of(noisy, noisy)]
    gone = [*noisy, 4.0, 5.0, 4.5, 0.25]
    assert [alert.kind for alert in alerts_of(gone, [0.3] * len(gone))].count(AlertKind.DIVERGENCE) == 1


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(0.01, 0.2))
def test_overfitting_on_noisy_validation_comes_once_or_twice(seed: int, noise: float) -> None:
    """Validation that wavers around a rise is one episode, or two at most, however long the run goes on."""
    generator = np.random.default_rng(seed)
    epoch = np.arange(1, 61)
    train = 0.05 + np.exp(-epoch / 6) + 0.002 * generator.normal(size=60)
    validation = 0.5 + 0.4 * np.exp(-epoch / 3) + 0.002 * epoch + noise * generator.normal(size=60)
    told = alerts_of(train.tolist(), validation.tolist(), 0.01)
    assert [alert.kind for alert in told].count(AlertKind.OVERFITTING) <= 2


def test_an_episode_is_updated_and_ended() -> None:
    """A rise that grows is told anew by the same alert, and its end by another, not by silence."""
    watch = AlertWatch()
    train = [1 / n for n in range(1, 21)]
    validation = [
        1,
        0.8,
        0.6,
        0.5,
        0.5,
        0.6,
        0.7,
        0.9,
        1.2,
        1.6,
        2.0,
        1.0,
        0.6,
        0.5,
        0.49,
        0.48,
        0.48,
        0.47,
        0.47,
        0.46,
    ]
    told = [watch.epoch(EpochLosses(n + 1, train[n], validation[n], 0.001)) for n in range(20)]
    stages = [alert.stage for some in told for alert in some if alert.kind is AlertKind.OVERFITTING]
    assert stages[0] is Stage.BEGAN
    assert stages[-1] is Stage.ENDED
    assert set(stages[1:-1]) == {Stage.UPDATED}


def test_a_rise_within_the_standard_error_is_no_overfitting() -> None:
    """The same rise is told where validation is large enough to see it, and not where chance would give it."""
    epoch = np.arange(1, 21)
    train, validation = np.exp(-epoch / 6), 0.5 + 0.004 * np.abs(epoch - 8)
    assert [alert.kind for alert in alerts_of(train.tolist(), validation.tolist(), 0.002)] == [AlertKind.OVERFITTING]
    assert alerts_of(train.tolist(), validation.tolist(), 0.05) == []


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_told_at_once(bad: float) -> None:
    """NaN and infinity are told within the epoch and at its end, once until the loss is a number again."""
    watch = AlertWatch()
    (alert,) = watch.batches(2, 140, bad)
    assert alert.kind is AlertKind.NOT_FINITE
    assert "batch 140 of epoch 2" in alert.sentence
    assert watch.batches(2, 150, bad) == ()
    assert watch.epoch(EpochLosses(2, bad, 0.5)) == ()
    (ended,) = watch.epoch(EpochLosses(3, 0.5, 0.5))
    assert (ended.stage, ended.sentence) == (Stage.ENDED, "Over since epoch 3.")
    assert watch.epoch(EpochLosses(4, 0.5, 0.5)) == ()
    (again,) = watch.epoch(EpochLosses(4, 0.5, bad))
    assert "validation loss" in again.sentence


def test_divergence_is_told_within_the_epoch_and_over_epochs() -> None:
    """A loss that climbs far above where it began is told, in the first epoch and in a later one; once."""
    watch = AlertWatch()
    losses = np.concatenate([np.linspace(1, 0.3, 300), np.geomspace(0.3, 50, 300)])
    told = [watch.batches(1, n, float(losses[:n].mean())) for n in range(10, 601, 10)]
    assert [alert.kind for some in told for alert in some] == [AlertKind.DIVERGENCE]
    assert [a.kind for a in alerts_of([1, 0.6, 0.4, 0.9, 1.7, 3], [1, 0.7, 0.5, 0.5, 0.5, 0.5])] == [
        AlertKind.DIVERGENCE
    ]


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_plateau_is_told_once(seed: int) -> None:
    """Neither loss falling for many epochs is told once; a loss that falls on steadily never is."""
    generator = np.random.default_rng(seed)
    stuck = 0.69 + 0.002 * generator.normal(size=(2, 40))
    told = [alert.kind for alert in alerts_of(*stuck)]
    assert told.count(AlertKind.PLATEAU) >= 1
    steady = np.linspace(1, 0.6, 40) + 0.004 * generator.normal(size=(2, 40))
    assert AlertKind.PLATEAU not in [alert.kind for alert in alerts_of(*steady)]
    assert [alert.kind for alert in alerts_of([0.69] * 30, [0.69] * 30)] == [AlertKind.PLATEAU]


def _explained(precision: float | None, samples: int = 2700) -> Explanation:
    classes = Classes(
        ("0", "1"), (0.8, 0.2), (0.75, 0.25), 0.5, (1.0, 0.0), (1.0, 0.0), (0.8, precision), (0.75, precision)
    )
    return explanation(classes=classes, distributions=replace(DISTRIBUTIONS, validation_samples=samples))


def test_a_class_never_predicted_is_told_when_it_lasts() -> None:
    """One epoch may pass over a class; two in a row are told, once, until it is predicted again."""
    watch = AlertWatch()
    assert watch.explanation(_explained(None)) == ()
    (alert,) = watch.explanation(_explained(None))
    assert alert.kind is AlertKind.NEVER_PREDICTED
    assert "Class 1 is never predicted, though 25.0 % of validation" in alert.sentence
    assert watch.explanation(_explained(None)) == ()
    (ended,) = watch.explanation(_explained(0.5))
    assert ended.stage is Stage.ENDED
    assert watch.explanation(_explained(0.5)) == ()


def test_a_validation_too_small_to_tell_is_told_once() -> None:
    """Sixty samples leave ±10 points of accuracy, which is told once; 2 700 samples are enough."""
    watch = AlertWatch()
    (alert,) = watch.explanation(_explained(0.5, samples=60))
    assert alert.kind is AlertKind.SMALL_VALIDATION
    assert "60 samples" in alert.sentence
    assert "±10" in alert.sentence
    assert watch.explanation(_explained(0.5, samples=60)) == ()
    assert AlertWatch().explanation(_explained(0.5)) == ()
