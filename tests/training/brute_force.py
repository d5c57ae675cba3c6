"""The ledger by brute force: every training sample, every toggle, by definition, with none of our arithmetic."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_TOGGLES = ("train_mode_layers", "sample_weights", "batch_averaging", "class_mix")


@dataclass(frozen=True)
class Samples:
    """One metric (loss, or 1 where correct) of every sample of one epoch, at the epoch's end, shape (n,) each."""

    training: Array
    """In training mode, batch after batch."""
    inference: Array
    weight: Array
    """What each sample counts in the reported value, divided by their number."""
    label: Labels
    sizes: Sequence[int]
    """Samples of each training batch."""
    validation: Array
    """In inference mode, in any order."""
    validation_weight: Array
    validation_label: Labels
    every_batch_same: bool = False
    """Whether the reported training value is a mean of batch means."""


def ledger(samples: Samples, reported: float, reported_validation: float) -> Mapping[str, float]:
    """Return every term of the definition for one value, training minus validation.

    Args:
        samples: what to compute it from.
        reported: training value of the epoch.
        reported_validation: validation value of the epoch.
    """
    count = samples.label.size
    classes = max(samples.label.max(), samples.validation_label.max()) + 1
    train_share = np.bincount(samples.label, minlength=classes) / count
    validation_share = np.bincount(samples.validation_label, minlength=classes) / samples.validation_label.size
    by_mode = (samples.training, samples.inference)
    by_weight = (samples.weight, np.ones(count))
    by_mix = (np.ones(count), (validation_share / train_share)[samples.label])
    ends = np.cumsum(samples.sizes)

    def mean(mode: int, weight: int, averaging: int, mix: int) -> float:
        values = by_mode[mode] * by_weight[weight] * by_mix[mix]
        if averaging == 0 and samples.every_batch_same:
            return float(np.mean([batch.mean() for batch in np.split(values, ends[:-1])]))
        return float(values.mean())

    terms = {"in_epoch_averaging": reported - mean(0, 0, 0, 0)}
    terms.update(_shapley(mean))
    plain, weighted = samples.validation.mean(), (samples.validation * samples.validation_weight).mean()
    terms["sample_weights"] += plain - weighted
    terms["within_class"] = mean(1, 1, 1, 1) - plain
    terms["measurement"] = weighted - reported_validation
    return terms


OPENED = ("leaked", "input_scale", "unfamiliar", "memorised")
"""Causes that open the within-class term."""


def folded(effects: Iterable[tuple[str, float | None]]) -> dict[str, float]:
    """Return terms, the within-class one whole again, whatever it was opened into."""
    known = {str(cause): effect or 0.0 for cause, effect in effects}
    opened = sum(known.pop(cause, 0.0) for cause in OPENED)
    return {**known, "within_class": known["within_class"] + opened}


def _shapley(mean: Callable[[int, int, int, int], float]) -> dict[str, float]:
    """Average each toggle's step over all orders of moving them: the textbook form of the Shapley value."""
    terms = dict.fromkeys(_TOGGLES, 0.0)
    orders = list(itertools.permutations(range(4)))
    for order in orders:
        moved = [0, 0, 0, 0]
        for toggle in order:
            before = mean(*moved)
            moved[toggle] = 1
            terms[_TOGGLES[toggle]] += (before - mean(*moved)) / len(orders)
    return terms
