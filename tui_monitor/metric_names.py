"""The one spelling of each metric: `acc`, `binary_accuracy` and friends all appear as `accuracy`."""

import functools
import re

VALIDATION_PREFIX = "val_"

_ACCURACY_NAMES = frozenset(
    {
        "acc",
        "accuracy",
        "binary_accuracy",
        "categorical_accuracy",
        "sparse_categorical_accuracy",
    }
)


@functools.lru_cache(maxsize=1024)
def canonical_metric(name: str) -> str:
    """Return the spelling under which charts, tables and JSON show a Keras metric.

    Args:
        name: as Keras logs it, with or without the `val_` prefix.
    """
    prefix = VALIDATION_PREFIX if name.startswith(VALIDATION_PREFIX) else ""
    stem = name.removeprefix(prefix)
    return prefix + ("accuracy" if stem in _ACCURACY_NAMES else stem)


_COUNTS = frozenset({"true_positives", "true_negatives", "false_positives", "false_negatives"})


def is_count(name: str) -> bool:
    """Return whether a metric, by its name in Keras, is a count of samples: an epoch's is the sum of its batches'."""
    return name.removeprefix(VALIDATION_PREFIX).rstrip("0123456789").rstrip("_") in _COUNTS


_CROSS_ENTROPIES = frozenset({"binarycrossentropy", "categoricalcrossentropy", "sparsecategoricalcrossentropy"})


def is_cross_entropy(loss: str) -> bool:
    """Return whether a loss, by its name in Keras, is a cross-entropy of class labels, so that it is in nats."""
    return loss.replace("_", "").lower() in _CROSS_ENTROPIES


_HIGHER_IS_BETTER = re.compile(
    r"(^|_)(acc|accuracy|auc|precision|recall|f1|f1_score|fbeta_score|iou|io_u|mean_io_u|dice|map|r2|r2_score"
    r"|bleu|rouge|true_positives|true_negatives|cosine_similarity|sensitivity|specificity)(_|$|\d)"
)


@functools.lru_cache(maxsize=1024)
def is_higher_better(name: str) -> bool:
    """Return whether more of a metric is better, by its name: of accuracy it is, of a loss or an error less is."""
    return _HIGHER_IS_BETTER.search(name.lower()) is not None


def is_better(name: str, value: float, other: float) -> bool:
    """Return whether a metric's value is better than another of its values."""
    return value > other if is_higher_better(name) else value < other
