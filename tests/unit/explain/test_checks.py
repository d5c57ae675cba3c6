"""Checks that are no terms: each raised where its fault is planted, none on healthy samples."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tui_monitor.explain.evidence.check_results import (
    Check,
    CutValidation,
    Drift,
    LabelMap,
    LabelShift,
    LogitThreshold,
    MissingClasses,
    MultiLabelAccuracy,
    NewTraining,
    NotFinite,
    NotShuffled,
    OtherAccuracy,
    PaddingCounted,
    PenaltyInOneMode,
    RareLabels,
    Repeated,
    Rounded,
    SoftmaxOfOne,
    UnrelatedLabels,
    WeightedValidation,
    WrongScale,
)
from tui_monitor.explain.evidence.checks import checks
from tui_monitor.explain.samples.labels import LabelSide, MultiLabel, Padding
from tui_monitor.explain.samples.observed import Observed, OutputScale, ValidationChange, WholeValidation
from tui_monitor.explain.samples.probes import (
    IN_ACCURACY,
    IN_LOSS,
    NO_CLASS,
    Averaging,
    PerSampleMetric,
    TrainingProbe,
    ValidationProbe,
    Weighting,
)
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
        class_kind="sparse",
        accuracy_function="sparsecategoricalaccuracy",
        validation_given=WholeValidation(samples=validation),
        validation_used=WholeValidation(samples=validation),
        training_expected_back=float(label.size),
        training_back=label.size,
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


def _counted_otherwise(sides: Sides) -> Sides:
    """Have the metric count each of five outputs for itself."""
    training, validation, observed = sides
    assert training.accuracy is not None
    of_train, of_validation = (np.where(side.label == side.predicted, 1.0, 0.6) for side in (training, validation))
    training = replace(training, accuracy=replace(training.accuracy, inference=of_train))
    changed = replace(observed, class_kind="one_hot", accuracy_function="binaryaccuracy")
    return training, replace(validation, correct=of_validation), changed


def _unrelated(sides: Sides) -> Sides:
    return _relabelled(sides, np.random.default_rng(0).permutation(sides[1].label))


def _weighted(sides: Sides) -> Sides:
    return sides[0], replace(sides[1], weight=sides[1].label.astype(float)), sides[2]


def _rounded(sides: Sides) -> Sides:
    training, validation, observed = sides
    return training, replace(validation, loss=validation.loss.astype(np.float16).astype(float)), observed


def _masked_in_loss_alone(sides: Sides) -> Sides:
    """Have a quarter of the units count in the accuracy alone, where each is right."""
    training, validation, observed = sides
    assert training.accuracy is not None
    counted = np.where(np.arange(training.label.size) % 4, IN_LOSS | IN_ACCURACY, IN_ACCURACY)
    right = np.where(counted & IN_LOSS, training.accuracy.inference, 1.0)
    training = replace(training, counted=counted, accuracy=replace(training.accuracy, inference=right))
    return training, validation, replace(observed, units_are_samples=False, class_kind="")


def _multi_label(seed: int, function: str, threshold: float = 0.5, often: float = 0.3) -> MultiLabel:
    generator = np.random.default_rng(seed)

    def side(size: int) -> LabelSide:
        target = generator.random((size, 6)) < often
        return LabelSide(target, generator.normal(np.where(target, 1.0, -1.0), 1.5))

    return MultiLabel(side(400), side(300), is_logits=True, accuracy_function=function, threshold=threshold)


def _labelled(function: str, threshold: float, often: float, shift: float = 0.0) -> Callable[[Sides], Sides]:
    def change(sides: Sides) -> Sides:
        labels = _multi_label(1, function, threshold, often)
        side = replace(labels.validation, output=labels.validation.output + shift)
        training, validation, observed = _without_classes(sides)
        return training, validation, replace(observed, labels=replace(labels, validation=side))

    return change


def _without_classes(sides: Sides) -> Sides:
    training, validation, observed = sides
    nothing = {"label": np.full(training.label.size, NO_CLASS), "predicted": np.full(training.label.size, NO_CLASS)}
    other = {"label": np.full(validation.label.size, NO_CLASS), "predicted": np.full(validation.label.size, NO_CLASS)}
    return (
        replace(training, **nothing, accuracy=None, epoch_class_counts=None, confidence=None),
        replace(validation, **other, correct=None, class_counts=None, confidence=None),
        replace(observed, class_dispersion=None, class_freedom=0, class_kind=""),
    )


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
    OtherAccuracy: _counted_otherwise,
    SoftmaxOfOne: _observing(output_scale=OutputScale.ALWAYS_ONE),
    UnrelatedLabels: _unrelated,
    CutValidation: _observing(validation_used=WholeValidation(samples=320)),
    WeightedValidation: _weighted,
    Rounded: _rounded,
    NewTraining: _observing(training_back=0),
    PaddingCounted: _masked_in_loss_alone,
    MultiLabelAccuracy: _labelled("categoricalaccuracy", 0.5, 0.3),
    RareLabels: _labelled("binaryaccuracy", 0.0, 0.02, shift=-4.0),
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


def test_an_accuracy_is_counted_anew_on_both_sides() -> None:
    """What a metric of single outputs says stands beside the fraction whose class is predicted, on each side."""
    sides = healthy(4)
    found = next(check for check in checks(*_counted_otherwise(sides)) if isinstance(check, OtherAccuracy))
    for pair, side in ((found.train, sides[0]), (found.validation, sides[1])):
        right = float((side.label == side.predicted).mean())
        assert pair == pytest.approx((1 - 0.4 * (1 - right), right))
    assert "61" not in checked(found).code
    assert "CategoricalAccuracy" in checked(found).code


@pytest.mark.parametrize(("function", "threshold"), [("categoricalaccuracy", 0.5), ("binaryaccuracy", 0.5)])
def test_labels_are_counted_anew_one_by_one(function: str, threshold: float) -> None:
    """An accuracy of the largest output, or at 0.5 on logits, stands beside labels at one half and whole samples."""
    training, validation, observed = _labelled(function, threshold, 0.3)(healthy(5))
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
    masked = _masked_in_loss_alone(sides)
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


def _of_some_kind(seed: int) -> Sides:
    """Return a healthy run of a kind that the seed picks: classes, regression, labels, weights, heavy tails."""
    generator = np.random.default_rng([seed, 3])
    sides = healthy(seed, int(generator.integers(40, 1500)), float(generator.uniform(0.25, 0.98)), 20)
    training, validation, observed = sides
    kind = seed % 6
    if kind == 1:
        return _without_classes(sides)
    if kind == 2:
        weight = generator.uniform(0.5, 2.0, CLASSES)[training.label]
        return replace(training, weight=weight), validation, observed
    if kind == 3:
        tail = generator.lognormal(0, 2, validation.loss.size)
        return training, replace(validation, loss=validation.loss * tail), observed
    if kind == 4:
        training, validation, observed = _without_classes(sides)
        return training, validation, replace(observed, labels=_multi_label(seed, "binaryaccuracy", 0.0))
    if kind == 5:
        # A set without repeats of which an epoch is a part, drawn at random.
        back = int(generator.binomial(640, 0.5))
        return training, validation, replace(observed, training_expected_back=320.0, training_back=back)
    return sides


def test_healthy_runs_raise_nothing() -> None:
    """Of 1800 healthy runs of six kinds, all checks together raise at most two: far fewer than one in fifty."""
    raised = [check for seed in range(1800) for check in checks(*_of_some_kind(seed))]
    assert len(raised) <= 2, raised


def test_equal_losses_make_no_trend() -> None:
    """Samples that share a few values of the loss, as of a few distinct inputs, do not count as ordered."""
    training, validation, observed = healthy(1, validation=2000)
    loss = np.random.default_rng(0).integers(0, 3, 2000).astype(float)
    raised = checks(training, replace(validation, loss=loss), observed)
    assert not any(isinstance(check, Drift) for check in raised)
