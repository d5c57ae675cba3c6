"""Class shares of both sides with their test, what each class gets, and the majority-class baseline's scores."""

import math

import numpy as np

from tui_monitor.explain.quantiles import NORMAL_QUANTILE
from tui_monitor.explain.samples.probes import FloatArray, IntArray
from tui_monitor.run_log.events.explanation import Baseline, Classes


def same_shares_probability(first: IntArray, second: IntArray) -> float | None:
    """Return the p-value of Pearson's chi-squared test that two samples share their class shares.

    Args:
        first: samples of each class on one side, shape (classes,).
        second: the same on the other side.

    Returns:
        None where a side is empty; 1 where only one class occurs.
    """
    table = np.stack([first, second]).astype(float)
    table = table[:, table.sum(axis=0) > 0]
    if (table.sum(axis=1) == 0).any():
        return None
    if table.shape[1] < 2:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return chi_squared_tail(statistic, table.shape[1] - 1)


def same_share_probability(first: float, first_total: int, second: float, second_total: int) -> float | None:
    """Return the p-value of the two-sided test that a class has the same share on both sides (pooled, normal).

    Args:
        first: share of the class on one side, from 0 to 1.
        first_total: samples of that side.
        second: share on the other side.
        second_total: its samples.

    Returns:
        None where a side is empty; 1 where the class has all samples or none.
    """
    if first_total < 1 or second_total < 1:
        return None
    pooled = (first * first_total + second * second_total) / (first_total + second_total)
    variance = pooled * (1 - pooled) * (1 / first_total + 1 / second_total)
    if variance <= 0:
        return 1.0
    return math.erfc(abs(first - second) / math.sqrt(2 * variance))


def chi_squared_tail(statistic: float, freedom: int) -> float:
    """Return P(X ≥ statistic) for a chi-squared X with a whole number of degrees of freedom, at least 1.

    The finite sums of Abramowitz and Stegun 26.4.4 and 26.4.5, in logarithms so that large tables do not overflow.
    """
    half = statistic / 2
    if half <= 0:
        return 1.0
    tail = math.erfc(math.sqrt(half)) if freedom % 2 else 0.0
    start = 0.5 if freedom % 2 else 0.0
    for index in range(freedom // 2):
        power = start + index
        tail += math.exp(power * math.log(half) - half - math.lgamma(power + 1))
    return min(1.0, tail)


def entropy(counts: IntArray) -> float:
    """Return the entropy of the class shares in nats: the loss of the majority-class baseline."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def baseline(train: IntArray, validation: IntArray) -> Baseline | None:
    """Return what a majority-class baseline at each side's own base rate scores, or None where a side is empty."""
    if not train.sum() or not validation.sum():
        return None
    return Baseline(
        train_loss=entropy(train),
        train_accuracy=float(train.max() / train.sum()),
        validation_loss=entropy(validation),
        validation_accuracy=float(validation.max() / validation.sum()),
    )


Rates = tuple[float | None, ...]


def recall_and_precision(label: IntArray, predicted: IntArray, weight: FloatArray, classes: int) -> tuple[Rates, Rates]:
    """Return recall and precision of each class; None where a class never occurs or is never predicted.

    Args:
        label: true class of each sample, shape (n,).
        predicted: predicted class of each sample, shape (n,).
        weight: what each sample stands for, shape (n,).
        classes: number of classes.
    """

    def total(index: IntArray, amount: FloatArray) -> FloatArray:
        """Return the sum over each class, shape (classes,)."""
        return np.bincount(index, weights=amount, minlength=classes).astype(np.float64)

    hits = total(label, weight * (label == predicted))
    return _rates(hits, total(label, weight)), _rates(hits, total(predicted, weight))


def _rates(hits: FloatArray, totals: FloatArray) -> Rates:
    return tuple(float(h / t) if t > 0 else None for h, t in zip(hits, totals, strict=True))


def describe_classes(
    train: tuple[IntArray, Rates, Rates], validation: tuple[IntArray, Rates, Rates], labels: tuple[str, ...]
) -> Classes:
    """Put both sides' counts, recall and precision side by side."""
    train_counts, train_recall, train_precision = train
    validation_counts, validation_recall, validation_precision = validation
    return Classes(
        labels=labels,
        train_share=_shares(train_counts),
        validation_share=_shares(validation_counts),
        p_value=same_shares_probability(train_counts, validation_counts),
        train_recall=train_recall,
        validation_recall=validation_recall,
        train_precision=train_precision,
        validation_precision=validation_precision,
    )


def _shares(counts: IntArray) -> tuple[float, ...]:
    total = max(1, int(counts.sum()))
    return tuple(float(c / total) for c in counts)


def stratified(values: FloatArray, label: IntArray, counts: IntArray) -> tuple[float, float, float] | None:
    """Return the mean that a side would show with other class shares, and its 95 % interval.

    The estimator of stratified sampling (Cochran, Sampling Techniques, 1977, section 5.3). A class without spread, as
    one that is always right, gets the variance of half a mistake.

    Args:
        values: a value of each sample, shape (n,).
        label: class of each sample, shape (n,).
        counts: samples of each class whose shares to take, shape (classes,).

    Returns:
        None where a class that counts has no sample here.
    """
    size = max(counts.size, int(label.max(initial=0)) + 1)
    wanted = np.pad(counts, (0, size - counts.size)).astype(float)
    here = np.bincount(label, minlength=size).astype(float)
    if not wanted.sum() or ((wanted > 0) & (here == 0)).any():
        return None
    share, divisor = wanted / wanted.sum(), np.maximum(here, 1.0)
    mean = np.bincount(label, weights=values, minlength=size) / divisor
    variance = np.bincount(label, weights=(values - mean[label]) ** 2, minlength=size) / np.maximum(here - 1, 1.0)
    variance = np.where((variance == 0) & (here > 0), 0.5 / (divisor + 1.0), variance)
    middle = float(share @ mean)
    half = NORMAL_QUANTILE * math.sqrt(float((share**2 * variance / divisor).sum()))
    return middle, middle - half, middle + half
