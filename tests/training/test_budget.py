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
    for _ in range(EPOCHS):
        trained += epoch
        batches = budget.batches_allowed(trained, 36.0, begins=first == 0.0)
        if batches:
            forward = per_batch * batches
            budget.measured(fixed + forward, forward, batches)
            budget.written(writing)
            first = first or budget.spent
    # One probe may find out only when it is over what writing it takes.
    assert budget.spent - first <= fraction * trained + writing


@given(fits=st.lists(st.floats(0.05, 20.0), min_size=50, max_size=300), building=st.floats(0.05, 2.0))
def test_fits_one_after_another_pay_a_small_part_to_be_measured(fits: list[float], building: float) -> None:
    """Where every fit builds a probe of its own, building and first measurements stay within 3 %, the first apart."""
    budget, trained = ProbeBudget(), 0.0
    first: float | None = None
    for seconds in fits:
        trained += seconds
        if budget.batches_allowed(trained, 36.0, begins=True):
            budget.traced(building)
            budget.measured(0.02, 0.01, 4)
            first = budget.tracing + budget.spent if first is None else first
    if first is not None:
        assert budget.tracing + budget.spent - first <= 0.03 * trained + 0.02 * trained + 0.02


def test_a_fit_of_a_moment_is_not_measured() -> None:
    """Building a probe would take a third as long as it trains; where everything is to be measured, it is."""
    assert not ProbeBudget().batches_allowed(0.5, 32.0, begins=True)
    assert ProbeBudget().batches_allowed(2.5, 32.0, begins=True)
    assert ProbeBudget(fraction=1.0).batches_allowed(0.5, 32.0, begins=True)


def test_fits_with_the_same_functions_are_measured_without_building() -> None:
    """A loop of short fits of one model is measured again while the share allows it."""
    budget = ProbeBudget()
    budget.traced(2.0)
    budget.measured(0.05, 0.03, 8)
    assert not budget.batches_allowed(10.0, 32.0, begins=True)
    assert budget.batches_allowed(10.0, 32.0, begins=True, builds=False)


def test_no_budget_allows_nothing_and_a_whole_one_everything() -> None:
    """0 turns probes off; 1 measures all there is."""
    assert ProbeBudget(fraction=0.0).batches_allowed(1e9, 1.0, begins=True) == 0
    assert ProbeBudget(fraction=1.0).batches_allowed(0.0, 1.0, begins=False) > 10**9


@given(
    seconds=st.floats(0.0, 5.0),
    epoch=st.floats(0.01, 2.0),
    tracing=st.floats(0.0, 0.5),
    per_batch=st.floats(1e-5, 1e-2),
    fits=st.integers(1, 60),
)
def test_many_short_fits_share_the_seconds(
    seconds: float, epoch: float, tracing: float, per_batch: float, fits: int
) -> None:
    """Building and measuring for one fit after another stay within fraction and seconds, one fit's beyond at most."""
    budget, trained, fixed = ProbeBudget(fraction=0.02, seconds=seconds), 0.0, 0.001
    first, dearest = 0.0, 0.0
    for _ in range(fits):
        trained += epoch
        batches = min(budget.batches_allowed(trained, 36.0, begins=True, is_last=True), 200)
        if batches:
            budget.traced(tracing)
            budget.measured(fixed + per_batch * batches, per_batch * batches, batches)
            first = first or budget.spent
            dearest = max(dearest, tracing + fixed + per_batch * 4)
    assert budget.spent - first + budget.tracing <= (0.02 + 0.05) * trained + seconds + 2 * dearest + 1e-9


def test_a_last_epoch_is_measured_whole_where_that_takes_less_than_the_seconds() -> None:
    """An epoch in the middle of the same fit keeps to the fraction; without seconds, so does the last one."""
    for seconds, expected in ((3.0, 500), (0.0, 0)):
        budget = ProbeBudget(fraction=0.02, seconds=seconds)
        budget.measured(0.05, 0.04, 40)
        assert min(budget.batches_allowed(1.0, 12.0, begins=False, is_last=True), 500) == expected
        assert budget.batches_allowed(1.0, 12.0, begins=False) == 0
