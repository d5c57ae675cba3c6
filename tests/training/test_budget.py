"""Measuring keeps to its fraction of training time, whatever a measurement turns out to cost."""

from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.training.probe.budget import ProbeBudget

EPOCHS = 200


@given(
    fraction=st.floats(0.005, 0.2),
    epoch=st.floats(0.2, 60.0),
    fixed=st.floats(1e-4, 0.02),
    per_batch=st.floats(1e-5, 1e-3),
    writing=st.floats(0.0, 0.005),
)
def test_the_share_holds_with_all_that_measuring_takes(
    fraction: float, epoch: float, fixed: float, per_batch: float, writing: float
) -> None:
    """From the first probe on, the passes and the writing of what they found stay within the budget together."""
    budget = ProbeBudget(fraction=fraction)
    trained, first = 0.0, 0.0
    for number in range(EPOCHS):
        trained += epoch
        batches = budget.batches_allowed(trained, 36.0, begins=number == 0)
        if batches:
            forward = per_batch * batches
            budget.measured(fixed + forward, forward, batches)
            budget.written(writing)
            first = first or budget.spent
    # One probe may find out only when it is over what writing it takes.
    assert budget.spent - first <= fraction * trained + writing


def test_no_budget_allows_nothing_and_a_whole_one_everything() -> None:
    """0 turns probes off; 1 measures all there is."""
    assert ProbeBudget(fraction=0.0).batches_allowed(1e9, 1.0, begins=True) == 0
    assert ProbeBudget(fraction=1.0).batches_allowed(0.0, 1.0, begins=False) > 10**9
