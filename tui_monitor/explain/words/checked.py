"""Findings of the checks that are no terms: each with its value, its sentence, and the line of code that mends it.

Those on what loss and accuracy make of outputs are in `checked_values`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tui_monitor import units
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
from tui_monitor.explain.samples.observed import ValidationChange
from tui_monitor.explain.words import checked_values
from tui_monitor.run_log.events.explanation import KNOWN, Finding
from tui_monitor.run_log.events.opened import FoundLeak


def checked(check: Check) -> Finding:
    """Return the finding of one check."""
    return _FINDINGS[type(check)](check)


def _label_map(check: LabelMap) -> Finding:
    pairs = ", ".join(f"{own} as {said}" for own, said in check.moved[:4])
    more = f" and {len(check.moved) - 4} more" if len(check.moved) > 4 else ""
    return Finding(
        "label_map",
        KNOWN,
        f"Validation's class numbers mean something else: the model takes {pairs}{more}, which training does not show. "
        f"Under that map validation accuracy is {units.percentage(check.accuracy_mapped, 1)}, not "
        f"{units.percentage(check.accuracy, 1)}.",
        "Make both sides' labels with one list of classes in one order.",
        "keras.utils.image_dataset_from_directory(folder, class_names=class_names)",
    )


def _label_shift(check: LabelShift) -> Finding:
    places = "1 place" if abs(check.places) == 1 else f"{abs(check.places)} places"
    where = "behind" if check.places > 0 else "before"
    return Finding(
        "labels_shifted",
        KNOWN,
        f"Validation's labels are out of step with its inputs: each fits the input {places} {where} it better "
        f"({units.percentage(check.accuracy_shifted, 1)} right, {units.percentage(check.accuracy, 1)} as they are).",
        "Look for a generator that skips or repeats a sample on one side of its pairs.",
        "assert len(validation_files) == len(validation_labels)",
    )


def _unrelated_labels(check: UnrelatedLabels) -> Finding:
    (train, _), (validation, chance) = check.train, check.validation
    return Finding(
        "labels_unrelated",
        KNOWN,
        f"Validation's labels agree with what the model says of its inputs no more often than by chance: in "
        f"{_one(validation)}, and two unrelated lists would in {_one(chance)} (training in {_one(train)}).",
        "Look for inputs and labels of validation that were shuffled or sorted apart. If they are right, the model has "
        "learned nothing that holds beyond its training samples.",
        "order = generator.permutation(len(x_val)); x_val, y_val = x_val[order], y_val[order]",
    )


def _one(fraction: float) -> str:
    return units.percentage(fraction, 1)


def _not_shuffled(check: NotShuffled) -> Finding:
    return Finding(
        "not_shuffled",
        KNOWN,
        f"Training is not shuffled: class counts of its batches vary {check.times:.1f} times as much as in shuffled "
        "ones.",
        "Shuffle before batching; with a dataset, over a buffer as large as the data.",
        "dataset.shuffle(len(x_train)).batch(32)",
    )


def _drift(check: Drift) -> Finding:
    return Finding(
        "validation_drifts",
        KNOWN,
        f"Validation is ordered: class for class, its first quarter has loss {check.first:.3f}, its last "
        f"{check.last:.3f}, more than chance would give.",
        "If it is ordered by time, the data drift: judge by the newest part. If by source, split by source.",
        "TimeSeriesSplit(n_splits=5)",
    )


def _changed(check: ValidationChange) -> Finding:
    if check.samples_now != check.samples_before:
        what = f"it had {units.count(check.samples_before)} samples before and has {units.count(check.samples_now)} now"
    else:
        what = f"{units.count(check.in_both)} of its {units.count(check.samples_now)} samples were there before"
    return Finding(
        "validation_changes",
        KNOWN,
        f"Validation is not the same set in every epoch: {what}. Its values differ between epochs for that alone.",
        "Fix the set: no `repeat`, no augmentation, no drawing anew; and `validation_steps` that covers all of it.",
        "validation = validation.take(count).cache()",
    )


def _cut_validation(check: CutValidation) -> Finding:
    left = check.given - check.used
    return Finding(
        "validation_cut",
        KNOWN,
        f"`validation_steps` cuts validation: {units.count(check.used)} of its {units.count(check.given)} {check.unit} "
        f"are looked at, {units.count(left)} never.",
        "Leave `validation_steps` out, so that all of validation counts.",
        "model.fit(..., validation_data=validation)",
    )


def _repeated(check: Repeated) -> Finding:
    times = check.samples / max(check.distinct, 1)
    return Finding(
        "validation_repeats",
        KNOWN,
        f"Validation holds {units.count(check.distinct)} different samples in {units.count(check.samples)}: each "
        f"counts about {times:.1f} times, so its values look surer than they are.",
        "Take `repeat` out of validation, or lower `validation_steps`.",
        "validation_steps=math.ceil(len(x_val) / batch_size)",
    )


def _weighted_validation(check: WeightedValidation) -> Finding:
    if check.is_label:
        what = "The third item of the validation data is its labels again: it is taken for sample weights"
    else:
        what = (
            f"Validation's samples are weighted ({check.low:g} to {check.high:g}) by the third item of the validation "
            "data, training's are not"
        )
    return Finding(
        "validation_weights",
        KNOWN,
        f"{what}. Without weights validation loss is {check.plain:.3f}, not {check.weighted:.3f}.",
        "Give validation two items, unless its weights are meant.",
        "model.fit(..., validation_data=(x_val, y_val))",
    )


def _new_training(check: NewTraining) -> Finding:
    found = "none" if not check.back else units.count(check.back)
    return Finding(
        "training_changes",
        KNOWN,
        f"Training's inputs are new in each epoch: about {units.count(round(check.expected))} would have come back, "
        f"{found} did. They are augmented, or part of a larger set; training's values are those of such inputs.",
        "To compare like with like, measure training data as validation's is prepared, without augmentation.",
        "model.evaluate(training_without_augmentation)",
    )


def _missing_classes(check: MissingClasses) -> Finding:
    parts = []
    for classes, side in ((check.only_training, "validation lacks"), (check.only_validation, "training lacks")):
        if classes:
            more = f" and {len(classes) - 6} more" if len(classes) > 6 else ""
            parts.append(f"{side} class{'es' if len(classes) > 1 else ''} {', '.join(map(str, classes[:6]))}{more}")
    text = "; ".join(parts)
    return Finding(
        "missing_classes",
        KNOWN,
        f"{text[0].upper()}{text[1:]}, which is not chance: the sides were not split at random.",
        "Shuffle and split by class (`validation_split` takes the last samples as they come).",
        "train_test_split(x, y, stratify=labels, shuffle=True)",
    )


def _not_finite(check: NotFinite) -> Finding:
    side, count = ("validation", check.validation) if check.validation else ("training", check.train)
    samples = "sample" if count == 1 else "samples"
    return Finding(
        "not_finite",
        KNOWN,
        f"The loss of {units.count(count)} {side} {samples} is NaN or infinite, of none on the other side.",
        f"Look at {side}'s inputs for NaN and at its labels for values out of range.",
        "np.isfinite(x_val).all()" if check.validation else "np.isfinite(x_train).all()",
    )


def _rounded(check: Rounded) -> Finding:
    return Finding(
        "rounded",
        KNOWN,
        f"All {check.of} of {check.side} fit {check.dtype}, those of the other side don't: {check.side} alone "
        f"{'was stored' if check.of == 'inputs' else 'is computed'} with fewer digits.",
        "Store and feed both sides' inputs in float32."
        if check.of == "inputs"
        else "Compute loss and metrics of both sides in float32.",
        f'{"x_val" if check.side == "validation" else "x_train"} = np.load(source).astype("float32")'
        if check.of == "inputs"
        else 'keras.layers.Dense(units, dtype="float32")',
    )


def _rounding_felt(check: RoundingFelt) -> Finding:
    overflowed = [
        f"{units.count(count)} {side} sample{'s' if count > 1 else ''}"
        for side, count in zip(("training", "validation"), check.overflowed, strict=True)
        if count
    ]
    if overflowed:
        what = (
            f"The loss of {' and '.join(overflowed)} is NaN or infinite because the model computes in {check.dtype}: "
            "in float32 it is finite."
        )
    else:
        (train, train_wide), (other, other_wide) = check.training, check.validation
        what = (
            f"Rounding to {check.dtype} changes the loss: in float32, some samples' validation loss would be "
            f"{other_wide:.4g}, not {other:.4g}, and training's {train_wide:.4g}, not {train:.4g}."
        )
    return Finding(
        "rounding",
        KNOWN,
        what,
        "Compute the last layers and the loss in float32; the others may stay narrow.",
        'keras.layers.Dense(units, dtype="float32")',
    )


def _penalty(check: PenaltyInOneMode) -> Finding:
    return Finding(
        "penalty_in_one_mode",
        KNOWN,
        f"A penalty is part of the loss in one mode alone: {check.training:.4f} in training, {check.inference:.4f} in "
        "inference.",
        "Compare losses without it, or add it in both modes.",
        "keras.regularizers.L2(1e-4)",
    )


def _copies(check: FoundLeak) -> Finding:
    same = ""
    if check.same_label is not None and check.same_label < 1:
        same = f"; {units.percentage(1 - check.same_label)} of them with another label"
    about = "" if check.fraction_high - check.fraction_low < 0.005 else "about "
    examples = ", ".join(str(example.validation) for example in check.examples[:5])
    how = "input for input"
    if check.near:
        exact = check.copies - check.near
        how = f"{units.count(exact)} of them {how}, the others" if exact else "though"
        how += " with small changes, as by noise or compression"
    return Finding(
        "copies",
        KNOWN,
        f"{units.count(check.copies)} of {units.count(check.compared)} validation samples stand in training, {how}"
        f"{same}: {about}{units.percentage(check.fraction, 1)} of validation. The first are samples {examples}, "
        "counted from 0 in the order of validation.",
        "Take them out of validation, and split so that copies stay on one side.",
        "train, validation = next(GroupShuffleSplit(test_size=0.2).split(x, y, groups))",
    )


_FINDINGS: Mapping[type[Any], Callable[[Any], Finding]] = {
    FoundLeak: _copies,
    LogitThreshold: checked_values.logit_threshold,
    OtherAccuracy: checked_values.other_accuracy,
    MultiLabelAccuracy: checked_values.multi_label_accuracy,
    RareLabels: checked_values.rare_labels,
    WrongScale: checked_values.wrong_scale,
    SoftmaxOfOne: checked_values.softmax_of_one,
    PaddingCounted: checked_values.padding_counted,
    LabelMap: _label_map,
    LabelShift: _label_shift,
    UnrelatedLabels: _unrelated_labels,
    NotShuffled: _not_shuffled,
    Drift: _drift,
    ValidationChange: _changed,
    CutValidation: _cut_validation,
    Repeated: _repeated,
    WeightedValidation: _weighted_validation,
    NewTraining: _new_training,
    MissingClasses: _missing_classes,
    NotFinite: _not_finite,
    Rounded: _rounded,
    RoundingFelt: _rounding_felt,
    PenaltyInOneMode: _penalty,
}
