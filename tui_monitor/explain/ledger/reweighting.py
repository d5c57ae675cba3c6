"""What samples of training's source that nobody has trained on would show: validation's, weighted to be like them.

No validation sample was trained on, so their losses hold nothing memorised. A logistic regression between the sides,
class by class, gives each the ratio of the sides' densities as a weight; a regression of the loss on the same features
corrects what the weights miss. The mean is right if either of both models is ("doubly robust": Bang and Robins,
Biometrics 61, 2005; for distribution shift Namkoong, Ma and Glynn, DISDE, 2023). Both are fitted on other samples than
those that they are used for (cross-fitting: Chernozhukov et al., The Econometrics Journal 21, 2018).
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_monitor.explain.samples.opened import Features
from tui_monitor.explain.samples.probes import FloatArray, IntArray

FEWEST_OF_CLASS: Final = 20
"""Samples of a class on both sides from which it can be weighted."""
_FOLDS: Final = 4
_PENALTY: Final = 3.0
"""On squared coefficients of standardised features, per sample: keeps small classes from being told apart by chance."""
_MOST_WEIGHT: Final = 20.0
_STEPS: Final = 12
_MOST_SEPARATED: Final = 400
"""Samples of each side that a classifier between them is fitted on and tried on."""
_FURTHEST: Final = 4.0
"""Standard deviations beyond which a feature's value counts no further."""


def features(train: FloatArray, label: IntArray, other: FloatArray, other_label: IntArray) -> Features:
    """Return features with their squares, standardised as training has them, and validation's weights.

    Args:
        train: of training samples not trained on yet, shape (k, values).
        label: class of each, shape (k,).
        other: of validation, shape (m, values).
        other_label: shape (m,).
    """
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    sides = [_standardised(side, mean, deviation) for side in (train, other)]
    weight = np.ones(len(other))
    for here, there in _classes(label, other_label):
        weight[there] = _ratios(sides[0][here], sides[1][there])
    return Features(sides[0], label, sides[1], other_label, weight)


def separability(train: FloatArray, other: FloatArray) -> float:
    """Return the chance that a classifier takes a training sample rather than one of validation for training's.

    Where it is near 1 the two sides hardly overlap, and no weighting makes one like the other.

    Args:
        train: values of training samples, shape (k, values).
        other: of validation, shape (m, values).
    """
    mean, deviation = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-9)
    some = (side[:: -(-len(side) // _MOST_SEPARATED)] for side in (train, other))
    sides = [_standardised(side, mean, deviation) for side in some]
    halves = [[side[half::2] for half in range(2)] for side in sides]
    chances = []
    for fitted, used in ((0, 1), (1, 0)):
        slope = _classifier(halves[0][fitted], halves[1][fitted])
        ranked = np.sort(halves[1][used] @ slope)
        chances.append(float(np.searchsorted(ranked, halves[0][used] @ slope).mean()) / max(ranked.size, 1))
    return sum(chances) / 2


def unseen_difference(
    found: Features, values: FloatArray, kept: NDArray[np.bool_], share: FloatArray
) -> tuple[float, float, float] | None:
    """Return the mean of training's source, had nobody trained on it, minus validation's, and how sure both are.

    Args:
        found: of both sides.
        values: of validation's samples now, shape (m,).
        kept: which of them count, shape (m,).
        share: of each class in validation; shape (classes,), of a single one where samples have none.

    Returns:
        The difference, the standard error of that mean, and the standard deviation of the difference where both sides
        are of one source; None where classes of more than a tenth of validation have too few samples.
    """
    point, variance, by_chance, covered = 0.0, 0.0, 0.0, 0.0
    for here, there in _classes(found.label, np.where(kept, found.other_label, -1)):
        index = int(found.label[here[0]]) if share.size > 1 else 0
        if index >= share.size:
            continue
        part = float(share[index])
        of_train, of_other = _corrected(found.train[here], found.other[there], values[there], found.weight[there])
        point += part * float(of_train.mean() + of_other.mean() - values[there].mean())
        variance += part**2 * float(np.var(of_train) / of_train.size + np.var(of_other) / of_other.size)
        of_both = float(np.var(of_other - values[there]) / of_other.size)
        by_chance += part**2 * (float(np.var(of_train)) / of_train.size + of_both)
        covered += part
    return None if covered < 0.9 else (point, float(np.sqrt(variance)), float(np.sqrt(by_chance)))


def _classes(label: IntArray, other_label: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the places of both sides' samples of each class that has enough."""
    for index in np.unique(label):
        here, there = np.flatnonzero(label == index), np.flatnonzero(other_label == index)
        if min(here.size, there.size) >= FEWEST_OF_CLASS:
            yield here, there


def _ratios(train: FloatArray, other: FloatArray) -> FloatArray:
    """Return the density ratio at each of validation's samples of one class, shape (m,), mean 1."""
    ratio = np.ones(len(other))
    for not_here, not_there, there in _folds(len(train), len(other)):
        of_train, of_other = train[not_here], other[not_there]
        slope = _classifier(of_train, of_other)
        odds = np.exp(np.clip(other[there] @ slope, -8.0, 8.0))
        ratio[there] = odds * len(of_other) / len(of_train)
    ratio = np.minimum(ratio, _MOST_WEIGHT)
    return np.asarray(ratio / ratio.mean(), dtype=np.float64)


def _corrected(
    train: FloatArray, other: FloatArray, values: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the regression's value of each training sample, and what validation's samples correct it by."""
    of_train, of_other = np.zeros(len(train)), np.zeros(len(other))
    weight = weight / weight.mean()
    folds = _folds(len(train), len(other))
    for (_, not_there, there), here in zip(folds, _parts(len(train)), strict=True):
        rows = other[not_there]
        slope = np.linalg.solve(rows.T @ rows + _penalties(rows), rows.T @ values[not_there])
        of_train[here] = train[here] @ slope
        of_other[there] = weight[there] * (values[there] - other[there] @ slope)
    return of_train, of_other


def _folds(train: int, other: int) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_], IntArray]]:
    """Yield which samples of both sides a model is fitted on, and validation's that it is used for."""
    for here, there in zip(_parts(train), _parts(other), strict=True):
        not_here, not_there = np.ones(train, dtype=bool), np.ones(other, dtype=bool)
        not_here[here] = not_there[there] = False
        yield not_here, not_there, there


def _parts(count: int) -> list[IntArray]:
    """Return the places of the samples of each fold, the same for the same count."""
    return np.array_split(np.random.default_rng(count).permutation(count), _FOLDS)


def _standardised(values: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return a column of ones, values on a common scale, and their squares, shape (n, 1 + 2 × values)."""
    scaled = np.clip((values - mean) / deviation, -_FURTHEST, _FURTHEST)
    return np.column_stack([np.ones(len(scaled)), scaled, scaled**2 - 1])


def _classifier(train: FloatArray, other: FloatArray) -> FloatArray:
    """Return the coefficients that tell training's rows from validation's, shape (features,)."""
    return _logistic(np.concatenate([train, other]), np.repeat([1.0, 0.0], [len(train), len(other)]))


def _logistic(rows: FloatArray, target: FloatArray) -> FloatArray:
    """Return the coefficients of a penalised logistic regression, by Newton's method, shape (features,)."""
    slope, penalties = np.zeros(rows.shape[1]), _penalties(rows)
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(rows @ slope, -15.0, 15.0)))
        curvature = (rows * np.maximum(chance * (1.0 - chance), 1e-6)[:, np.newaxis]).T @ rows + penalties
        step = np.linalg.solve(curvature, rows.T @ (target - chance) - penalties @ slope)
        slope += step
        if np.abs(step).max() < 1e-4:
            break
    return slope


def _penalties(rows: FloatArray) -> FloatArray:
    """Return a diagonal matrix: the first column, which is 1 everywhere, is hardly held back."""
    return np.diag(np.concatenate([[1e-6], np.full(rows.shape[1] - 1, _PENALTY)]))
