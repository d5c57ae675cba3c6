"""Findings of the checks that are no terms: each with its value, its sentence, and the line of code that mends it."""

from collections.abc import Callable, Mapping
from typing import Any

from tui_monitor import units
from tui_monitor.explain.evidence.check_results import (
    Check,
    Drift,
    LabelMap,
    LabelShift,
    LogitThreshold,
    MissingClasses,
    NotFinite,
    NotShuffled,
    PenaltyInOneMode,
    Repeated,
    WrongScale,
)
from tui_monitor.explain.samples.observed import ValidationChange
from tui_monitor.run_log.events.explanation import Finding
from tui_monitor.run_log.events.opened import FoundLeak

KNOWN = "known"


def checked(check: Check) -> Finding:
    """Return the finding of one check."""
    return _FINDINGS[type(check)](check)


def _logit_threshold(check: LogitThreshold) -> Finding:
    reported, half = check.validation
    return Finding(
        "metric_threshold",
        KNOWN,
        f"The reported accuracy puts its threshold of {check.threshold:g} on logits, where one half is 0: counted at a "
        f"probability of 0.5, validation accuracy is {units.percentage(half, 1)}, not "
        f"{units.percentage(reported, 1)} (training {units.percentage(check.train[1], 1)}, not "
        f"{units.percentage(check.train[0], 1)}).",
        "Give the metric a threshold of 0, or let the model end in a sigmoid.",
        "metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)]",
    )


def _wrong_scale(check: WrongScale) -> Finding:
    logits = check.taken_for == "logits"
    return Finding(
        "output_scale",
        KNOWN,
        f"The loss takes the model's outputs for {check.taken_for}, but they are {check.are}: it is too "
        f"{'flat to learn well from' if logits else 'steep where they leave 0 … 1, and cut off there'}.",
        "Make the loss fit the last layer: `from_logits=True` exactly where it has no softmax or sigmoid.",
        f"loss=keras.losses.SparseCategoricalCrossentropy(from_logits={not logits})",
    )


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
    return Finding(
        "not_finite",
        KNOWN,
        f"The loss of {units.count(count)} {side} samples is NaN or infinite, of none on the other side.",
        f"Look at {side}'s inputs for NaN and at its labels for values out of range.",
        "np.isfinite(x_val).all()" if check.validation else "np.isfinite(x_train).all()",
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
    LogitThreshold: _logit_threshold,
    WrongScale: _wrong_scale,
    LabelMap: _label_map,
    LabelShift: _label_shift,
    NotShuffled: _not_shuffled,
    Drift: _drift,
    ValidationChange: _changed,
    Repeated: _repeated,
    MissingClasses: _missing_classes,
    NotFinite: _not_finite,
    PenaltyInOneMode: _penalty,
}
