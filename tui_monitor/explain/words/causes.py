"""What each cause is called in sentences, and what it means: the one table beside the labels of `Cause`."""

from collections.abc import Mapping
from dataclasses import dataclass

from tui_monitor.run_log.events.ledger import Cause


@dataclass(frozen=True)
class CauseWords:
    """One cause in words."""

    short: str
    """Inside a list of amounts."""
    subject: str
    """Begins a sentence, with its verb, `is` or `are`."""
    meaning: str
    """What the cause is, in one sentence for somebody who sees its name for the first time."""


CAUSE_WORDS: Mapping[Cause, CauseWords] = {
    Cause.IN_EPOCH_AVERAGING: CauseWords(
        "averaging",
        "The running average is",
        "Training's value is a mean over the epoch, taken while the weights still changed; validation sees only the "
        "last weights.",
    ),
    Cause.TRAIN_MODE_LAYERS: CauseWords(
        "dropout / batch norm",
        "Dropout or batch norm is",
        "Dropout, batch norm and noise act differently in training, so the same weights score differently there.",
    ),
    Cause.SAMPLE_WEIGHTS: CauseWords(
        "sample weights",
        "Class or sample weights are",
        "Weights multiply the loss of training samples; validation has none unless it is given its own.",
    ),
    Cause.BATCH_AVERAGING: CauseWords(
        "mean of batch means",
        "The mean of batch means is",
        "Every batch counts the same, whatever its size, so samples in small batches count more.",
    ),
    Cause.CLASS_MIX: CauseWords(
        "class mix",
        "The class mix is",
        "Training and validation hold the classes in different fractions (label shift).",
    ),
    Cause.LEAKED: CauseWords(
        "leak",
        "A leak is",
        "Samples of validation stand in training, too, where the model has learned them.",
    ),
    Cause.INPUT_SCALE: CauseWords(
        "input scale",
        "The input scale is",
        "Validation's inputs are scaled otherwise than training's, such as 0 to 255 instead of 0 to 1.",
    ),
    Cause.UNFAMILIAR: CauseWords(
        "different data",
        "Different data are",
        "Samples of the same class differed between the sides before any of them was trained on.",
    ),
    Cause.MEMORISED: CauseWords(
        "memorised",
        "Memorised samples are",
        "What the difference has grown by since the first epoch: the model knows its training samples better than "
        "samples like them.",
    ),
    Cause.WITHIN_CLASS: CauseWords(
        "within class",
        "Differences within a class are",
        "Samples of the same class are harder or easier on one side: whatever of overfitting, label noise, "
        "augmentation or different data has no row of its own.",
    ),
    Cause.MEASUREMENT: CauseWords(
        "unexplained rest",
        "An unexplained rest is",
        "The part of the gap that the measured samples do not show.",
    ),
}


def meaning(cause: str) -> str:
    """Return what a cause means; empty for findings on something else, such as chance.

    Args:
        cause: its JSON name, or any other finding's.
    """
    return CAUSE_WORDS[Cause(cause)].meaning if cause in frozenset(Cause) else ""
