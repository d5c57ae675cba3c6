"""Checks that are no terms: each raised where its fault is planted, none on healthy samples."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.unit.explain.planted_checks import (
    CLASSES,
    PLANTED,
    Sides,
    counted_otherwise,
    healthy,
    labelled,
    masked_in_loss_alone,
    of_some_kind,
    rerun_in,
    shifted,
    swapped,
)
from tui_monitor.explain.evidence.check_results import (
    Check,
    Drift,
    LabelMap,
    LabelShift,
    MultiLabelAccuracy,
    OtherAccuracy,
    PaddingCounted,
    Rounded,
    RoundingFelt,
    UnrelatedLabels,
)
from tui_monitor.explain.evidence.checks import checks
from tui_monitor.explain.samples.labels import Padding
from tui_monitor.explain.samples.probes import IN_ACCURACY, IN_LOSS
from tui_monitor.explain.words.checked import checked


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
    mapped = next(check for check in checks(*swapped(sides)) if isinstance(check, LabelMap))
    assert set(mapped.moved) == {(1, 2), (2, 1)}
    assert mapped.accuracy_mapped == pytest.approx(float((sides[1].label == sides[1].predicted).mean()))
    moved = next(check for check in checks(*shifted(sides)) if isinstance(check, LabelShift))
    assert moved.places == 1


def test_an_accuracy_is_counted_anew_on_both_sides() -> None:
    """What a metric of single outputs says stands beside the fraction whose class is predicted, on each side."""
    sides = healthy(4)
    found = next(check for check in checks(*counted_otherwise(sides)) if isinstance(check, OtherAccuracy))
    for pair, side in ((found.train, sides[0]), (found.validation, sides[1])):
        right = float((side.label == side.predicted).mean())
        assert pair == pytest.approx((1 - 0.4 * (1 - right), right))
    assert "61" not in checked(found).code
    assert "CategoricalAccuracy" in checked(found).code


def _masked(sides: Sides, left_out: int) -> Sides:
    """Have a mask leave out every fourth unit, which so has no class, of the loss or of both means."""
    training, validation, observed = sides

    def side(probe: Any) -> Any:
        is_left = np.arange(probe.label.size) % 4 == 0
        return replace(
            probe,
            counted=np.where(is_left, left_out, IN_LOSS | IN_ACCURACY),
            label=np.where(is_left, CLASSES, probe.label),
        )

    return side(training), side(validation), observed


def test_what_a_mask_leaves_out_is_not_counted_as_wrong() -> None:
    """A masked unit has no class: an accuracy that leaves it out, too, is counted anew without it."""
    sides = healthy(4)
    for left_out in (0, IN_ACCURACY):
        assert not [check for check in checks(*_masked(sides, left_out)) if isinstance(check, OtherAccuracy)]
    masked = _masked(counted_otherwise(sides), 0)
    found = next(check for check in checks(*masked) if isinstance(check, OtherAccuracy))
    for pair, side in ((found.train, sides[0]), (found.validation, sides[1])):
        kept = np.arange(side.label.size) % 4 > 0
        assert pair[1] == pytest.approx(float((side.label == side.predicted)[kept].mean()))


@pytest.mark.parametrize(("function", "threshold"), [("categoricalaccuracy", 0.5), ("binaryaccuracy", 0.5)])
def test_labels_are_counted_anew_one_by_one(function: str, threshold: float) -> None:
    """An accuracy of the largest output, or at 0.5 on logits, stands beside labels at one half and whole samples."""
    training, validation, observed = labelled(function, threshold, 0.3)(healthy(5))
    labels = observed.labels
    assert labels is not None
    found = next(c for c in checks(training, validation, observed) if isinstance(c, MultiLabelAccuracy))
    for pair, exact, side in zip(
        (found.train, found.validation), found.exact, (labels.train, labels.validation), strict=True
    ):
        rows = [(target, 1 / (1 + np.exp(-output))) for target, output in zip(side.target, side.output, strict=True)]
        anew = np.mean([np.mean((p > 0.5) == t) for t, p in rows])
        if function == "categoricalaccuracy":
            reported = np.mean([t.tolist().index(max(t)) == p.tolist().index(max(p)) for t, p in rows])
        else:
            reported = np.mean(
                [np.mean((output > 0.5) == t) for t, output in zip(side.target, side.output, strict=True)]
            )
        assert pair == pytest.approx((reported, anew))
        assert exact == pytest.approx(np.mean([all((p > 0.5) == t) for t, p in rows]))


def test_padding_is_taken_out_of_the_mean() -> None:
    """The accuracy without padding is that of the units that the loss counts; so it is where nothing masks padding."""
    sides = healthy(6)
    masked = masked_in_loss_alone(sides)
    found = next(check for check in checks(*masked) if isinstance(check, PaddingCounted))
    right = (sides[0].label == sides[0].predicted).astype(float)
    kept = np.arange(right.size) % 4 > 0
    assert found.train == pytest.approx((float(np.where(kept, right, 1.0).mean()), float(right[kept].mean())))
    assert (found.in_loss, found.fraction) == (False, 0.25)
    hard = ~kept
    training, validation, observed = sides
    assert training.accuracy is not None
    training = replace(training, accuracy=replace(training.accuracy, inference=np.where(hard, 1.0, right)))
    observed = replace(observed, padding=Padding(hard, None), units_are_samples=False, class_kind="")
    found = next(check for check in checks(training, validation, observed) if isinstance(check, PaddingCounted))
    assert found.in_loss
    assert found.train[1] == pytest.approx(float(right[kept].mean()))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_values_of_few_digits_are_seen_on_one_side_alone(dtype: str) -> None:
    """Values that fit a narrow type raise it on one side; on both sides, and as a few losses, they don't."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    kind = np.float16 if dtype == "float16" else ml_dtypes.bfloat16
    training, validation, observed = healthy(7, validation=2000)

    def cut(values: np.ndarray) -> np.ndarray:
        return values.astype(np.float32).astype(kind).astype(float)

    narrow = replace(validation, loss=cut(validation.loss))
    found = [check for check in checks(training, narrow, observed) if isinstance(check, Rounded)]
    assert [(check.side, check.dtype, check.of) for check in found] == [("validation", dtype, "losses")]
    both = replace(training, loss=replace(training.loss, then=cut(training.loss.then)))
    assert not [check for check in checks(both, narrow, observed) if isinstance(check, Rounded)]
    few = replace(validation, loss=np.round(validation.loss * 8) / 8)
    assert not [check for check in checks(training, few, observed) if isinstance(check, Rounded)]


@pytest.mark.parametrize(("shift", "noise", "is_said"), [(0.05, 1e-3, True), (0.0, 1e-3, False), (0.0, 0.3, False)])
def test_rounding_is_said_where_it_moves_a_mean(shift: float, noise: float, is_said: bool) -> None:
    """What rounding changes on average is a finding; what it changes by little, or at random alone, is none."""
    training, validation, observed = healthy(9)
    observed = replace(observed, rerun=rerun_in("bfloat16", shift, noise))
    found = [check for check in checks(training, validation, observed) if isinstance(check, RoundingFelt)]
    assert bool(found) is is_said
    for check in found:
        assert check.dtype == "bfloat16"
        assert check.validation[0] == pytest.approx(1.05 * check.validation[1], rel=1e-2)


def test_what_overflows_is_said_though_it_is_a_single_sample() -> None:
    """A loss that is infinite in the narrow type alone is a finding, and no part of the means."""
    training, validation, observed = healthy(10)
    again = rerun_in("float16", 0.0)
    assert again.validation is not None
    again.validation[0][3] = np.inf
    again.validation[0][4] = again.validation[1][4] = np.nan
    (check,) = checks(training, validation, replace(observed, rerun=again))
    assert isinstance(check, RoundingFelt)
    assert check.overflowed == (0, 1)
    assert np.isfinite(check.validation).all()
    assert checked(check).sentence.startswith("The loss of 1 validation sample is NaN or infinite because")


def test_a_model_of_one_class_always_tells_nothing_of_labels() -> None:
    """Validation that is taken for one class throughout, as under lagging batch norm, does not count as unrelated."""
    training, validation, observed = healthy(8)
    always = np.zeros_like(validation.predicted)
    stuck = replace(validation, predicted=always, correct=(validation.label == 0).astype(float))
    assert not [check for check in checks(training, stuck, observed) if isinstance(check, UnrelatedLabels)]


def test_time_steps_are_not_taken_for_single_samples() -> None:
    """Labels that stay the same for several steps, and losses that follow one another, raise no test of order."""
    training, validation, observed = healthy(9)
    steps = np.sort(validation.label)
    other = replace(validation, label=steps, predicted=np.roll(steps, 1), loss=np.sort(validation.loss))
    raised = checks(training, other, replace(observed, units_are_samples=False, class_kind=""))
    assert raised == ()


def test_healthy_runs_raise_nothing() -> None:
    """Of 1800 healthy runs of six kinds, all checks together raise at most two: far fewer than one in fifty."""
    raised = [check for seed in range(1800) for check in checks(*of_some_kind(seed))]
    assert len(raised) <= 2, raised


def test_equal_losses_make_no_trend() -> None:
    """Samples that share a few values of the loss, as of a few distinct inputs, do not count as ordered."""
    training, validation, observed = healthy(1, validation=2000)
    loss = np.random.default_rng(0).integers(0, 3, 2000).astype(float)
    raised = checks(training, replace(validation, loss=loss), observed)
    assert not any(isinstance(check, Drift) for check in raised)
