"""Findings on what loss and accuracy make of the model's outputs: value, sentence and line of code of each."""

from tui_monitor import units
from tui_monitor.explain.evidence.check_results import (
    LogitThreshold,
    MultiLabelAccuracy,
    OtherAccuracy,
    PaddingCounted,
    Pair,
    RareLabels,
    SoftmaxOfOne,
    WrongScale,
)
from tui_monitor.run_log.events.explanation import KNOWN, Finding


def _not(validation: Pair, train: Pair) -> str:
    """Return an accuracy counted anew on both sides, against the reported one."""
    return (
        f"validation accuracy is {units.percentage(validation[1], 1)}, not {units.percentage(validation[0], 1)} "
        f"(training {units.percentage(train[1], 1)}, not {units.percentage(train[0], 1)})"
    )


def logit_threshold(check: LogitThreshold) -> Finding:
    """Return what a threshold of the accuracy on logits does."""
    return Finding(
        "metric_threshold",
        KNOWN,
        f"The reported accuracy puts its threshold of {check.threshold:g} on logits, where one half is 0: counted at a "
        f"probability of 0.5, {_not(check.validation, check.train)}.",
        "Give the metric a threshold of 0, or let the model end in a sigmoid.",
        "metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)]",
    )


def other_accuracy(check: OtherAccuracy) -> Finding:
    """Return what an accuracy counts that does not count predicted classes."""
    why = {
        ("binaryaccuracy", "one_hot"): "It counts each output for itself, most of which are easily right. ",
        ("categoricalaccuracy", "binary"): "It looks for the largest of a single output, which is always the first. ",
        ("sparsecategoricalaccuracy", "binary"): "It looks for the largest of a single output, which is always class "
        "0. ",
    }.get((check.function, check.class_kind), "")
    metric = {
        "one_hot": "CategoricalAccuracy()",
        "sparse": "SparseCategoricalAccuracy()",
        "binary": f"BinaryAccuracy(threshold={0.0 if check.is_logits else 0.5})",
    }[check.class_kind]
    return Finding(
        "metric_meaning",
        KNOWN,
        f"The reported accuracy is not the fraction of samples whose class is predicted. {why}Counted so, "
        f"{_not(check.validation, check.train)}.",
        "Report the accuracy that fits the targets.",
        f"metrics=[keras.metrics.{metric}]",
    )


def multi_label_accuracy(check: MultiLabelAccuracy) -> Finding:
    """Return what an accuracy of several labels counts instead of labels at one half."""
    if check.counts == "largest":
        what = "looks for the one label with the largest output, though samples have any number of labels: by label"
    else:
        what = f"puts its threshold of {check.threshold:g} on logits, where one half is 0: by label at 0.5"
    return Finding(
        "multi_label_metric",
        KNOWN,
        f"The reported accuracy {what}, {_not(check.validation, check.train)}. All labels of a sample are right in "
        f"{units.percentage(check.exact[1], 1)} (training {units.percentage(check.exact[0], 1)}).",
        "Report accuracy by label (`BinaryAccuracy`), and recall beside it.",
        f"metrics=[keras.metrics.BinaryAccuracy(threshold={0.0 if check.is_logits else 0.5})]",
    )


def rare_labels(check: RareLabels) -> Finding:
    """Return that an accuracy by label says little."""
    return Finding(
        "rare_labels",
        KNOWN,
        f"Labels are rare: saying the commoner answer for every label is right in "
        f"{units.percentage(check.without, 1)} of validation's, the model in {units.percentage(check.accuracy, 1)}. It "
        f"finds {units.percentage(check.found, 1)} of the labels that are there, and has all labels of a sample right "
        f"in {units.percentage(check.exact, 1)}.",
        "Judge by recall and precision of labels, not by accuracy.",
        "metrics=[keras.metrics.F1Score(average='macro', threshold=0.5)]",
    )


def wrong_scale(check: WrongScale) -> Finding:
    """Return what the loss takes outputs for."""
    logits = check.taken_for == "logits"
    return Finding(
        "output_scale",
        KNOWN,
        f"The loss takes the model's outputs for {check.taken_for}, but they are {check.are}: it is too "
        f"{'flat to learn well from' if logits else 'steep where they leave 0 … 1, and cut off there'}.",
        "Make the loss fit the last layer: `from_logits=True` exactly where it has no softmax or sigmoid.",
        f"loss=keras.losses.SparseCategoricalCrossentropy(from_logits={not logits})",
    )


def softmax_of_one(_: SoftmaxOfOne) -> Finding:
    """Return that a softmax over one output says nothing."""
    return Finding(
        "softmax_of_one",
        KNOWN,
        "The model ends in a softmax over a single output, which is 1 whatever the input: it can't learn, and accuracy "
        "is the fraction of class 1.",
        "Let two classes end in one sigmoid.",
        'keras.layers.Dense(1, activation="sigmoid")',
    )


def padding_counted(check: PaddingCounted) -> Finding:
    """Return what padding does to a mean."""
    where = "counts in loss and accuracy" if check.in_loss else "counts in the accuracy, though the loss leaves it out"
    name, written = ("accuracy", _percentage) if check.is_accuracy else ("loss", _three_digits)
    if not check.is_accuracy:
        where = "counts in the loss"
    sides = f"training {name} is {written(check.train[1])}, not {written(check.train[0])}"
    if check.validation is not None:
        sides = (
            f"validation {name} is {written(check.validation[1])}, not {written(check.validation[0])} (training "
            f"{written(check.train[1])}, not {written(check.train[0])})"
        )
    return Finding(
        "padding_counted",
        KNOWN,
        f"Padding {where}: it is {units.percentage(check.fraction)} of the time steps. At the weights of now, without "
        f"it {sides}.",
        "Mask padding where the model begins, and give the metric weights of 0 there.",
        "keras.layers.Embedding(vocabulary, width, mask_zero=True)"
        if check.in_loss
        else 'model.compile(optimizer, loss, weighted_metrics=["accuracy"])',
    )


def _percentage(value: float) -> str:
    return units.percentage(value, 1)


def _three_digits(value: float) -> str:
    return f"{value:.3f}"
