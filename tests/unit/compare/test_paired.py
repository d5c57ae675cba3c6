"""The difference of two runs' means: its interval covers the truth, and chance is seldom called a winner."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tui_monitor.compare.paired import (
    Difference,
    paired_difference,
    paired_fractions,
    student_quantile,
    unpaired_difference,
)

PAIRS = 200
VALIDATION, TEST = 1_000, 40_000
FEATURES = 6

Array = NDArray[np.float64]


def samples(generator: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Return features and labels of two classes that overlap."""
    label = (generator.random(count) < 0.3).astype(np.float64)
    return generator.normal(size=(count, FEATURES)) + 0.5 * label[:, None], label


def trained(generator: np.random.Generator, count: int, rate: float) -> Array:
    """Return the weights of a logistic regression after some steps of gradient descent on a draw of samples."""
    x, y = samples(generator, count)
    x = np.column_stack([x, np.ones(count)])
    weights = np.zeros(FEATURES + 1)
    for _ in range(60):
        weights += rate * x.T @ (y - 1 / (1 + np.exp(-x @ weights))) / count
    return weights


def judged(weights: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Return the loss of each sample, and whether it is right."""
    logits = np.column_stack([x, np.ones(len(x))]) @ weights
    signs = np.where(y > 0.5, 1.0, -1.0)
    return np.logaddexp(0, -signs * logits), ((logits > 0) == (y > 0.5)).astype(np.float64)


def planted(number: int) -> tuple[Difference, Difference, float, float]:
    """Return a pair's measured differences in loss and accuracy, and the true ones by a large test set."""
    generator = np.random.default_rng([7, number])
    one = trained(generator, int(generator.integers(60, 400)), 1.0)
    other = trained(generator, int(generator.integers(60, 400)), float(generator.choice([0.1, 1.0])))
    validation, test = samples(generator, VALIDATION), samples(generator, TEST)
    first, second = judged(one, *validation), judged(other, *validation)
    true_first, true_second = judged(one, *test), judged(other, *test)
    return (
        paired_difference(first[0], second[0]),
        paired_fractions(first[1], second[1]),
        float((true_second[0] - true_first[0]).mean()),
        float((true_second[1] - true_first[1]).mean()),
    )


def test_intervals_cover_the_true_difference() -> None:
    """Of 200 planted pairs of models the 95 % interval holds the true difference in 92 to 98 %, for loss and accuracy.

    A winner is never the worse model by the large test set, but for one pair in a hundred.
    """
    covered_loss = covered_accuracy = wrong = named = 0
    for number in range(PAIRS):
        loss, accuracy, true_loss, true_accuracy = planted(number)
        assert loss.low is not None
        assert loss.high is not None
        assert accuracy.low is not None
        assert accuracy.high is not None
        covered_loss += loss.low <= true_loss <= loss.high
        covered_accuracy += accuracy.low <= true_accuracy <= accuracy.high
        named += loss.is_worth_naming
        wrong += loss.is_worth_naming and (loss.value > 0) is not (true_loss > 0)
    assert 0.92 <= covered_loss / PAIRS <= 0.98
    assert 0.92 <= covered_accuracy / PAIRS <= 0.98
    assert named > PAIRS / 4
    assert wrong <= PAIRS / 100


def test_no_winner_is_called_where_there_is_none() -> None:
    """Two models, equally good by symmetry, yet not alike on any sample, get a winner in 5 % of pairs at most."""
    winners = 0
    for number in range(PAIRS):
        generator = np.random.default_rng([11, number])
        weights = np.append(generator.normal(0.5, 0.4, FEATURES), -1.0)
        turned = np.append(weights[:FEATURES][::-1], -1.0)
        x, y = samples(generator, VALIDATION)
        first, second = judged(weights, x, y), judged(turned, x, y)
        loss = paired_difference(first[0], second[0])
        accuracy = paired_fractions(first[1], second[1])
        winners += loss.is_worth_naming or accuracy.is_worth_naming
    assert winners / PAIRS <= 0.05


@given(st.lists(st.tuples(st.floats(0, 9, width=32), st.floats(0, 9, width=32)), min_size=20, max_size=200))
def test_turning_a_pair_round_turns_its_difference(pairs: list[tuple[float, float]]) -> None:
    """Which run comes first changes the sign and nothing else."""
    first, second = np.array(pairs).T
    for measure in (paired_difference, unpaired_difference):
        one, other = measure(first, second), measure(second, first)
        assert one.value == pytest.approx(-other.value, abs=1e-9)
        assert one.low == pytest.approx(-(other.high or 0), abs=1e-9)
        assert one.is_worth_naming == other.is_worth_naming


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=20, max_size=300))
def test_fractions_lie_in_their_interval(pairs: list[tuple[bool, bool]]) -> None:
    """The interval holds nothing but differences of fractions, and what was measured, within half a sample."""
    first, second = np.array(pairs, dtype=np.float64).T
    found = paired_fractions(first, second)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value + 1e-9
    assert found.value <= found.high + 1e-9
    assert not (found.value == 0 and found.is_worth_naming)


def test_few_samples_give_no_interval() -> None:
    """Nineteen samples say too little: there is a difference without an interval, and no winner."""
    found = paired_difference(np.zeros(19), np.ones(19))
    assert (found.value, found.low, found.is_worth_naming, found.samples_to_settle) == (1.0, None, False, None)


def test_the_samples_that_would_settle_it() -> None:
    """With so many samples the same difference is 2.81 standard errors."""
    generator = np.random.default_rng(1)
    found = paired_difference(np.zeros(400), generator.normal(0.05, 1.0, 400))
    needed = found.samples_to_settle
    assert needed is not None
    assert found.error is not None
    assert abs(found.value) / (found.error * math.sqrt(400 / needed)) == pytest.approx(2.807, abs=0.01)


@pytest.mark.parametrize(("freedom", "expected"), [(19, 2.093), (50, 2.009), (1000, 1.962), (None, 1.960)])
def test_students_quantile(freedom: float | None, expected: float) -> None:
    """As in printed tables."""
    assert student_quantile(freedom) == pytest.approx(expected, abs=0.001)
