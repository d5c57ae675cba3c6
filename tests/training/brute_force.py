"""The ledger computed the long way: every training sample, every toggle, by definition, with none of our arithmetic."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_monitor.demo.scenarios import DemoData

Array = NDArray[np.float64]
_TOGGLES = ("train_mode_layers", "sample_weights", "batch_averaging", "class_mix")


@dataclass(frozen=True)
class Epoch:
    """Everything about one epoch that the definition asks for."""

    data: DemoData
    batches: list[NDArray[np.int64]]
    """Sample indices of each training batch, in order."""
    predict: Callable[[NDArray[np.float32], bool], Array]
    """Model outputs at the epoch's end for inputs, in training mode or not, shape (n, 2)."""
    weighted: bool
    """Whether the figure applies class weights."""


def ledger(epoch: Epoch, figure: str, reported: float, reported_validation: float, draws: int) -> Mapping[str, float]:
    """Return every term of the definition for one figure, training minus validation.

    Args:
        epoch: what to compute it from.
        figure: `loss` or `accuracy`.
        reported: training figure of the epoch.
        reported_validation: validation figure of the epoch.
        draws: how many times training mode is averaged over its random draws.
    """
    data = epoch.data
    labels = data.y.argmax(axis=1)
    by_mode = {
        0: np.mean([_values(figure, data.y, epoch.predict(data.x, True)) for _ in range(draws)], axis=0),
        1: _values(figure, data.y, epoch.predict(data.x, False)),
    }
    class_weight = np.array(data.scenario.class_weight or (1.0, 1.0))
    by_weight = {0: class_weight[labels] if epoch.weighted else np.ones(labels.size), 1: np.ones(labels.size)}
    train_share = np.bincount(labels) / labels.size
    validation_share = np.bincount(data.validation_y.argmax(axis=1)) / len(data.validation_y)
    by_mix = {0: np.ones(labels.size), 1: (validation_share / train_share)[labels]}

    def mean(mode: int, weight: int, averaging: int, mix: int) -> float:
        values = by_mode[mode] * by_weight[weight] * by_mix[mix]
        if averaging == 0 and data.scenario.every_batch_same:
            return float(np.mean([values[batch].mean() for batch in epoch.batches]))
        return float(values[np.concatenate(epoch.batches)].mean())

    terms = {"in_epoch_averaging": reported - mean(0, 0, 0, 0)}
    terms.update(_shapley(mean))
    validation = _values(figure, data.validation_y, epoch.predict(data.validation_x, False)).mean()
    terms["within_class"] = mean(1, 1, 1, 1) - validation
    terms["measurement"] = validation - reported_validation
    return terms


def _values(figure: str, targets: NDArray[np.float32], outputs: Array) -> Array:
    if figure == "accuracy":
        return (targets.argmax(axis=1) == outputs.argmax(axis=1)).astype(float)
    return -np.log(np.clip((targets * outputs).sum(axis=1), 1e-7, 1.0))


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
