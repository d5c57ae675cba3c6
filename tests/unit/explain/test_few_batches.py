"""What few batches can tell: quantiles of Student's t, and what chance gives where whole batches are drawn."""

import math

import pytest

from tui_monitor.explain.ledger.intervals import Sampling
from tui_monitor.explain.quantiles import NORMAL_QUANTILE, QUANTILE_WORTH_A_CAUSE, student_quantile

TABLE = {
    (NORMAL_QUANTILE, 1): 12.7062,
    (NORMAL_QUANTILE, 2): 4.3027,
    (NORMAL_QUANTILE, 3): 3.1824,
    (NORMAL_QUANTILE, 8): 2.3060,
    (QUANTILE_WORTH_A_CAUSE, 2): 14.0890,
    (QUANTILE_WORTH_A_CAUSE, 3): 7.4533,
    (QUANTILE_WORTH_A_CAUSE, 7): 4.0293,
    (QUANTILE_WORTH_A_CAUSE, math.inf): QUANTILE_WORTH_A_CAUSE,
}
"""Quantiles of 97.5 % and 99.75 % as SciPy 1.17 gives them, by normal quantile and degrees of freedom."""


@pytest.mark.parametrize(("normal", "freedom"), TABLE)
def test_quantiles_are_those_of_student(normal: float, freedom: float) -> None:
    """Within 1.5 % at any number of degrees of freedom."""
    assert student_quantile(normal, freedom) == pytest.approx(TABLE[normal, freedom], rel=0.015)


def test_few_batches_widen_what_chance_gives() -> None:
    """Two batches of validation tell next to nothing; as many samples as there are settle nothing then."""
    by_sample = Sampling(0.0, 4.0, 100.0)
    by_batch = Sampling(0.0, 4.0, 100.0, (math.inf, 1.0))
    assert by_sample.half_width == pytest.approx(NORMAL_QUANTILE * 0.2)
    assert by_batch.half_width == pytest.approx(12.7062 * 0.2, rel=0.01)
    assert by_batch.beyond_chance > 10 * by_sample.beyond_chance
    assert by_batch.validation_samples_to_settle(2.0) is None
    assert by_sample.validation_samples_to_settle(2.0) == 8
