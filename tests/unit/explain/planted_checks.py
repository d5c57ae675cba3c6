"""Both sides of healthy runs of many kinds, and of runs in which the fault of one check is planted."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

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
    RoundingFelt,
    SoftmaxOfOne,
    UnrelatedLabels,
    WeightedValidation,
    WrongScale,
)
from tui_monitor.explain.samples.labels import LabelSide, MultiLabel
from tui_monitor.explain.samples.observed import Observed, OutputScale, ValidationChange, WholeValidation
from tui_monitor.explain.samples.probes import (
    IN_ACCURACY,
    IN_LOSS,
    NO_CLASS,
    Averaging,
    FloatArray,
    PerSampleMetric,
    TrainingProbe,
    ValidationProbe,
    Weighting,
)
from tui_monitor.explain.samples.rerun import Rerun

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


def swapped(sides: Sides) -> Sides:
    """Return the run with classes 1 and 2 of validation swapped."""
    return _relabelled(sides, np.array([0, 2, 1, 3, 4])[sides[1].label])


def shifted(sides: Sides) -> Sides:
    """Return the run with validation's labels one place behind their inputs."""
    return _relabelled(sides, np.roll(sides[1].label, 1))


def drifting(sides: Sides) -> Sides:
    """Return the run with a validation loss that grows over its order."""
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


def counted_otherwise(sides: Sides) -> Sides:
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


def rerun_in(dtype: str, shift: float, noise: float = 1e-3) -> Rerun:
    """Return losses of both sides whose rounding moves them by a part on average, and at random by another."""
    generator = np.random.default_rng(0)

    def side(size: int) -> tuple[FloatArray, FloatArray]:
        wide = generator.gamma(2.0, 0.3, size)
        return wide * (1 + shift + generator.normal(0, noise, size)), wide

    return Rerun(dtype, side(400), side(300))


def masked_in_loss_alone(sides: Sides) -> Sides:
    """Have a quarter of the units count in the accuracy alone, where each is right."""
    training, validation, observed = sides
    assert training.accuracy is not None
    counted = np.where(np.arange(training.label.size) % 4, IN_LOSS | IN_ACCURACY, IN_ACCURACY)
    right = np.where(counted & IN_LOSS, training.accuracy.inference, 1.0)
    training = replace(training, counted=counted, accuracy=replace(training.accuracy, inference=right))
    return training, validation, replace(observed, units_are_samples=False, class_kind="")


def multi_label(seed: int, function: str, threshold: float = 0.5, often: float = 0.3) -> MultiLabel:
    """Return both sides of six labels, each there as often as given, with logits that find most of them."""
    generator = np.random.default_rng(seed)

    def side(size: int) -> LabelSide:
        target = generator.random((size, 6)) < often
        return LabelSide(target, generator.normal(np.where(target, 1.0, -1.0), 1.5))

    return MultiLabel(side(400), side(300), is_logits=True, accuracy_function=function, threshold=threshold)


def labelled(function: str, threshold: float, often: float, shift: float = 0.0) -> Callable[[Sides], Sides]:
    """Return what gives a run several labels in place of classes, validation's outputs shifted."""

    def change(sides: Sides) -> Sides:
        labels = multi_label(1, function, threshold, often)
        side = replace(labels.validation, output=labels.validation.output + shift)
        training, validation, observed = without_classes(sides)
        return training, validation, replace(observed, labels=replace(labels, validation=side))

    return change


def without_classes(sides: Sides) -> Sides:
    """Return the run as one whose samples have no classes."""
    training, validation, observed = sides
    none, other = np.full(training.label.size, NO_CLASS), np.full(validation.label.size, NO_CLASS)
    training = replace(training, label=none, predicted=none, accuracy=None, epoch_class_counts=None, confidence=None)
    validation = replace(validation, label=other, predicted=other, correct=None, class_counts=None, confidence=None)
    return training, validation, replace(observed, class_dispersion=None, class_freedom=0, class_kind="")


PLANTED: dict[type[Check], Callable[[Sides], Sides]] = {
    LabelMap: swapped,
    LabelShift: shifted,
    Drift: drifting,
    MissingClasses: _without_class,
    NotFinite: _not_finite,
    LogitThreshold: _binary,
    NotShuffled: _observing(class_dispersion=900.0, class_freedom=156),
    ValidationChange: _observing(validation_change=ValidationChange(600, 600, 14)),
    Repeated: _observing(validation_samples=600, validation_distinct=300),
    WrongScale: _observing(output_scale=OutputScale.PROBABILITIES_AS_LOGITS),
    PenaltyInOneMode: _observing(penalty_in_training=0.2),
    OtherAccuracy: counted_otherwise,
    SoftmaxOfOne: _observing(output_scale=OutputScale.ALWAYS_ONE),
    UnrelatedLabels: _unrelated,
    CutValidation: _observing(validation_used=WholeValidation(samples=320)),
    WeightedValidation: _weighted,
    Rounded: _rounded,
    RoundingFelt: _observing(rerun=rerun_in("float16", 0.05)),
    NewTraining: _observing(training_back=0),
    PaddingCounted: masked_in_loss_alone,
    MultiLabelAccuracy: labelled("categoricalaccuracy", 0.5, 0.3),
    RareLabels: labelled("binaryaccuracy", 0.0, 0.02, shift=-4.0),
}


def of_some_kind(seed: int) -> Sides:
    """Return a healthy run of a kind that the seed picks: classes, regression, labels, weights, heavy tails."""
    generator = np.random.default_rng([seed, 3])
    sides = healthy(seed, int(generator.integers(40, 1500)), float(generator.uniform(0.25, 0.98)), 20)
    training, validation, observed = sides
    kind = seed % 6
    if kind == 1:
        return without_classes(sides)
    if kind == 2:
        weight = generator.uniform(0.5, 2.0, CLASSES)[training.label]
        return replace(training, weight=weight), validation, observed
    if kind == 3:
        tail = generator.lognormal(0, 2, validation.loss.size)
        return training, replace(validation, loss=validation.loss * tail), observed
    if kind == 4:
        training, validation, observed = without_classes(sides)
        return training, validation, replace(observed, labels=multi_label(seed, "binaryaccuracy", 0.0))
    if kind == 5:
        # A set without repeats of which an epoch is a part, drawn at random.
        back = int(generator.binomial(640, 0.5))
        return training, validation, replace(observed, training_expected_back=320.0, training_back=back)
    return sides
