"""What lies behind the averages equals the textbook sums over samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.explain.random_probes import PROBES
from tui_monitor.explain.evidence.class_shares import same_share_probability, same_shares_probability
from tui_monitor.explain.evidence.distributions import MOST_CLASSES, distributions, loss_edges, loss_spread, reliability
from tui_monitor.explain.measure import Moment, explain_probe
from tui_monitor.explain.samples.probes import Averaging, PerSampleMetric, TrainingProbe, ValidationProbe, Weighting
from tui_monitor.run_log.events.distributions import Distributions
from tui_monitor.run_log.events.explanation import explanation_from_json, explanation_to_json

SEEDS = st.integers(0, 2**32 - 1)


def sides(
    label: np.ndarray, predicted: np.ndarray, loss: np.ndarray, confidence: np.ndarray | None = None
) -> Distributions:
    """Return the distributions of samples that are the same on both sides, each batch of one sample."""
    count, classes = len(label), int(max(label.max(), predicted.max())) + 1
    right = (label == predicted).astype(float)
    batch, ones = np.arange(count), np.ones(count)
    probe = TrainingProbe(
        batch=batch,
        label=label,
        predicted=predicted,
        weight=ones,
        loss=PerSampleMetric(loss, loss, loss, 1.0, Averaging.SAMPLES, Weighting.PER_SAMPLE),
        accuracy=PerSampleMetric(right, right, right, 1.0, Averaging.SAMPLES, Weighting.NONE),
        epoch_batches=count,
        epoch_class_counts=np.bincount(label, minlength=classes),
        confidence=confidence,
    )
    validation = ValidationProbe(
        batch=batch,
        label=label,
        predicted=predicted,
        weight=ones,
        loss=loss,
        correct=right,
        reported_loss=1.0,
        reported_accuracy=1.0,
        class_counts=np.bincount(label, minlength=classes),
        complete=True,
        confidence=confidence,
    )
    return distributions(probe, validation, ones, count)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_calibration_error_is_the_textbook_sum(seed: int) -> None:
    """The error is Σ share of bin · |mean confidence − accuracy| over twenty bins, samples counted by their weight."""
    generator = np.random.default_rng(seed)
    confidence, weight = generator.random(80), generator.uniform(0.5, 2, 80)
    right = (generator.random(80) < confidence).astype(float)
    side = reliability(confidence, right, weight)
    assert side is not None
    expected = 0.0
    for index in range(20):
        held = (confidence >= index / 20) & (confidence < (index + 1) / 20)
        if held.any():
            mass = weight[held]
            distance = abs(np.average(confidence[held], weights=mass) - np.average(right[held], weights=mass))
            expected += mass.sum() / weight.sum() * distance
        assert side.count[index] == held.sum()
    assert side.error == pytest.approx(expected, abs=1e-9)


def test_a_calibrated_model_errs_no_more_than_chance_says() -> None:
    """Over many draws of a perfectly calibrated model the mean error is the one that chance alone is said to give."""
    generator = np.random.default_rng(5)
    errors, chances = [], []
    for _ in range(200):
        confidence = generator.uniform(0.5, 1, 1000)
        side = reliability(confidence, (generator.random(1000) < confidence).astype(float), np.ones(1000))
        assert side is not None
        errors.append(side.error)
        chances.append(side.chance)
    assert np.mean(errors) == pytest.approx(np.mean(chances), rel=0.05)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(2, 40))
def test_confusion_counts_every_sample_once(seed: int, classes: int) -> None:
    """Both matrices hold every sample; up to twenty classes the diagonal is the right ones, beyond that rarer share."""
    generator = np.random.default_rng(seed)
    label, predicted = generator.integers(0, classes, 300), generator.integers(0, classes, 300)
    confusion = sides(label, predicted, generator.exponential(1, 300)).confusion
    assert confusion is not None
    assert len(confusion.labels) <= MOST_CLASSES
    for table in (confusion.train, confusion.validation):
        assert table is not None
        assert np.sum(table) == pytest.approx(300, abs=0.5)
    size = len(confusion.labels)
    if size < MOST_CLASSES:
        assert np.trace(np.array(confusion.validation)) == (label == predicted).sum()


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.floats(0.1, 5.0))
def test_loss_histograms_hold_all_samples_and_all_loss(seed: int, tail: float) -> None:
    """Right and wrong add up to all, all to 1, the mass to 1; quantiles and the worst share are NumPy's own."""
    generator = np.random.default_rng(seed)
    loss = np.exp(generator.normal(0, tail, 500))
    right = (generator.random(500) < 0.7).astype(float)
    spread = loss_spread(loss, right, np.ones(500), loss_edges(loss))
    assert spread is not None
    assert spread.right is not None
    assert spread.wrong is not None
    np.testing.assert_allclose(np.add(spread.right, spread.wrong), spread.all, atol=2e-5)
    assert sum(spread.all) == pytest.approx(1, abs=1e-3)
    assert sum(spread.mass) == pytest.approx(1, abs=1e-3)
    assert sum(spread.right) == pytest.approx(right.mean(), abs=1e-3)
    assert spread.mean == pytest.approx(loss.mean())
    assert spread.median == np.quantile(loss, 0.5, method="inverted_cdf")
    assert spread.extreme == np.quantile(loss, 0.99, method="inverted_cdf")
    assert spread.worst_share == pytest.approx(np.sort(loss)[-5:].sum() / loss.sum())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_without_a_finite_loss_are_counted_apart(bad: float) -> None:
    """NaN and infinite losses are said, and leave the rest as it is; nothing but them leaves no distribution."""
    loss = np.array([0.1, 0.2, bad])
    spread = loss_spread(loss, None, np.ones(3), loss_edges(loss))
    assert spread is not None
    assert (spread.samples, spread.not_finite) == (2, 1)
    assert spread.mean == pytest.approx(0.15)
    assert spread.right is None
    assert loss_spread(loss[2:], None, np.ones(1), loss_edges(loss[2:])) is None


@settings(max_examples=25, deadline=None)
@given(PROBES)
def test_distributions_survive_json(probes: tuple[TrainingProbe, ValidationProbe]) -> None:
    """An explanation with distributions reads back as it was written; without probabilities there is no calibration."""
    explanation = explain_probe(*probes, Moment("run", 3, None, None, samples=500))
    assert explanation.distributions is not None
    assert explanation.distributions.calibration is None
    content = explanation_to_json(explanation)
    assert explanation_to_json(explanation_from_json(content)) == content


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 50))
def test_one_class_against_the_rest_is_the_chi_squared_test(a: int, b: int, c: int, d: int) -> None:
    """The test of one class's share equals Pearson's test of the table of that class and all others."""
    expected = same_shares_probability(np.array([a, b]), np.array([c, d]))
    assert same_share_probability(a / (a + b), a + b, c / (c + d), c + d) == pytest.approx(expected, abs=1e-9)
