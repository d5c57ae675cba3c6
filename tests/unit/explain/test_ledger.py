"""Laws of the ledger that hold for any samples."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.unit.explain.random_probes import PROBES, make_probe
from tui_monitor.explain.evidence.class_shares import chi_squared_tail, same_shares_probability
from tui_monitor.explain.evidence.mistakes import side_mistakes, split_mistakes
from tui_monitor.explain.ledger.build import build_ledger
from tui_monitor.explain.ledger.estimates import shapley
from tui_monitor.explain.measure import Moment, explain_probe
from tui_monitor.explain.samples.probes import PerSampleMetric, TrainingProbe, ValidationProbe
from tui_monitor.run_log.events.explanation import explanation_from_json, explanation_to_json
from tui_monitor.run_log.events.ledger import Cause, Verdict


@settings(max_examples=60, deadline=None)
@given(PROBES)
def test_terms_add_up_to_the_gap(probes: tuple[TrainingProbe, ValidationProbe]) -> None:
    """Whatever was probed, the terms sum to the reported gap to 1e-9, and each interval holds its effect."""
    for metric, gap in (("loss", 0.7 - 0.5), ("accuracy", 0.8 - 0.78)):
        ledger = build_ledger(*probes, metric)
        assert ledger is not None
        assert [term.cause for term in ledger.terms] == list(Cause)
        assert sum(term.effect or 0.0 for term in ledger.terms) == pytest.approx(gap, abs=1e-9)
        for term in ledger.terms:
            if term.low is not None and term.high is not None:
                assert term.low <= (term.effect or 0.0) <= term.high
        assert sum(term.verdict is Verdict.MAIN for term in ledger.terms) <= 1


@settings(max_examples=40, deadline=None)
@given(PROBES)
def test_json_and_back_is_the_same_explanation(probes: tuple[TrainingProbe, ValidationProbe]) -> None:
    """What `explain --json` prints reads back as the same object, and holds every key of the definition."""
    explanation = explain_probe(*probes, Moment("run", 3, None, None))
    content = explanation_to_json(explanation)
    assert explanation_to_json(explanation_from_json(content)) == content
    assert {"schema", "run", "epoch", "evidence", "reported", "paradox", "loss", "accuracy", "mistakes"} <= set(content)
    assert {"classes", "baseline", "penalty", "samples", "cost", "headline", "findings"} <= set(content)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=16, max_size=16))
def test_shapley_is_the_mean_step_over_all_orders(values: list[float]) -> None:
    """The weighted-subset form equals the textbook average over all orders of moving the toggles."""
    table = dict(zip(itertools.product((0, 1), repeat=4), values, strict=True))
    steps = np.zeros(4)
    for order in itertools.permutations(range(4)):
        moved = [0, 0, 0, 0]
        for player in order:
            before = table[tuple(moved)]
            moved[player] = 1
            steps[player] += (before - table[tuple(moved)]) / 24
    result = shapley(np.array(values).reshape(2, 2, 2, 2, 1))[0]
    np.testing.assert_allclose(result, steps, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(PROBES)
def test_mistakes_split_the_loss_difference_exactly(probes: tuple[TrainingProbe, ValidationProbe]) -> None:
    """More mistakes, surer when right and worse when wrong add up to the difference of the mean losses."""
    probe, validation = probes
    assert probe.accuracy is not None
    assert validation.correct is not None
    ones_train, ones_validation = np.ones(probe.label.size), np.ones(validation.label.size)
    mistakes = split_mistakes(
        side_mistakes(probe.loss.inference, probe.accuracy.inference, ones_train),
        side_mistakes(validation.loss, validation.correct, ones_validation),
    )
    if mistakes.effects is not None:
        total = mistakes.effects.more_mistakes + mistakes.effects.when_right + mistakes.effects.when_wrong
        assert total == pytest.approx(probe.loss.inference.mean() - validation.loss.mean(), abs=1e-9)


@pytest.mark.parametrize(
    ("statistic", "freedom", "expected"),
    [(3.841459, 1, 0.05), (5.991465, 2, 0.05), (16.918978, 9, 0.05), (129.561197, 100, 0.025), (0.0, 3, 1.0)],
)
def test_chi_squared_tail_meets_the_printed_tables(statistic: float, freedom: int, expected: float) -> None:
    """The tail equals the quantiles printed in every statistics textbook."""
    assert chi_squared_tail(statistic, freedom) == pytest.approx(expected, abs=1e-7)


def test_equal_shares_have_probability_one() -> None:
    """Identical class shares can't be told apart, and an empty side can't be compared."""
    assert same_shares_probability(np.array([80, 20]), np.array([40, 10])) == pytest.approx(1.0)
    assert same_shares_probability(np.array([80, 20]), np.array([0, 0])) is None


def _only(validation: ValidationProbe, kept: NDArray[np.bool_]) -> ValidationProbe:
    """Return validation with some of its samples alone."""
    arrays = ("batch", "label", "predicted", "weight", "loss", "correct")
    label = validation.label[kept]
    counts = np.bincount(label, minlength=validation.label.max() + 1)
    return replace(validation, **{name: getattr(validation, name)[kept] for name in arrays}, class_counts=counts)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), held=st.integers(1, 3), metric=st.sampled_from(["loss", "accuracy"]))
def test_classes_that_only_validation_holds_are_class_mix(seed: int, held: int, metric: str) -> None:
    """What is left within classes is that of the others alone; what the new ones add to validation's mean is shares."""
    probe, validation = make_probe(seed, classes=4)
    label = probe.label % held
    train = replace(probe, label=label, epoch_class_counts=np.bincount(label, minlength=4))
    kept = validation.label < held
    ledger = build_ledger(train, validation, metric)
    assert ledger is not None
    effects = {term.cause: term.effect or 0.0 for term in ledger.terms}
    if not kept.any():
        assert effects[Cause.WITHIN_CLASS] == pytest.approx(0.0, abs=1e-9)
        return
    others = build_ledger(train, _only(validation, kept), metric)
    assert others is not None
    without = {term.cause: term.effect or 0.0 for term in others.terms}
    values = validation.loss if metric == "loss" else validation.correct
    assert values is not None
    added = float(values[kept].mean() - values.mean())
    assert effects[Cause.WITHIN_CLASS] == pytest.approx(without[Cause.WITHIN_CLASS], abs=1e-9)
    assert effects[Cause.CLASS_MIX] == pytest.approx(without[Cause.CLASS_MIX] + added, abs=1e-9)
    assert sum(effects.values()) == pytest.approx(ledger.gap, abs=1e-9)


def test_a_split_of_sorted_data_is_not_called_overfitting() -> None:
    """All of validation's classes but one are new: their shares are the main cause, and nothing is opened."""
    probe, validation = make_probe(seed=7, classes=3, batches=12)
    train = replace(probe, label=np.zeros_like(probe.label), epoch_class_counts=np.array([probe.label.size, 0, 0]))
    loss = np.where(validation.label > 0, 5.0, 0.5)
    validation = replace(validation, loss=loss, reported_loss=float(loss.mean()), complete=True)
    ledger = build_ledger(train, validation, "loss")
    assert ledger is not None
    assert [term.cause for term in ledger.terms if term.verdict is Verdict.MAIN] == [Cause.CLASS_MIX]
    reason = next(term.reason for term in ledger.terms if term.cause is Cause.MEMORISED)
    assert reason.startswith("Training has no sample of the classes that ")


def test_nan_values_make_no_verdict_and_no_error() -> None:
    """A run whose loss is NaN gets an explanation that names no cause."""
    probe, validation = make_probe(seed=5)
    poisoned = TrainingProbe(
        **{
            **probe.__dict__,
            "loss": PerSampleMetric(
                probe.loss.then * np.nan,
                probe.loss.training * np.nan,
                probe.loss.inference * np.nan,
                math.nan,
                probe.loss.averaging,
                probe.loss.weighting,
            ),
        }
    )
    content = explanation_to_json(explain_probe(poisoned, validation, Moment("run", 1, None, None)))
    assert content["loss"]["gap"] is None
    assert {term["verdict"] for term in content["loss"]["terms"]} <= {"cannot tell", "ruled out"}
