"""What lies behind the averages of both sides: which class is taken for which, how surely, and the spread of losses.

Everything is measured in inference mode and unweighted, at the weights of one moment; training samples count by
what they stand for in the epoch, so that class shares are the exact ones.
"""

import math

import numpy as np

from tui_monitor.explain.samples.probes import NO_CLASS, FloatArray, IntArray, TrainingProbe, ValidationProbe
from tui_monitor.run_log.events.distributions import (
    CONFIDENCE_BINS,
    OTHERS,
    Calibration,
    Confusion,
    Distributions,
    Losses,
    LossSpread,
    Reliability,
)

MOST_CLASSES = 20
"""Rows of a confusion matrix at most: with more classes the rarer ones share the last row."""
_BINS_PER_DECADE = 4
_MOST_DECADES = 6
_WORST = 0.01


def distributions(
    probe: TrainingProbe, validation: ValidationProbe | None, strata: FloatArray, epoch_samples: int
) -> Distributions:
    """Return what the samples of one moment show.

    Args:
        probe: at least one probed training sample.
        validation: None without validation.
        strata: what each training sample stands for, shape (n,), mean 1.
        epoch_samples: training samples of the epoch, measured or not.
    """
    counted = None
    if validation is not None:
        counts = validation.class_counts
        counted = int(counts.sum()) if counts is not None else validation.loss.size
    return Distributions(
        confusion=_confusion(probe, validation, strata),
        calibration=_calibration(probe, validation, strata),
        losses=_losses(probe, validation, strata),
        train_samples=epoch_samples,
        validation_samples=counted,
    )


def _known(label: IntArray, predicted: IntArray) -> bool:
    return bool(label.size) and bool((label > NO_CLASS).all()) and bool((predicted > NO_CLASS).all())


def _confusion(probe: TrainingProbe, validation: ValidationProbe | None, strata: FloatArray) -> Confusion | None:
    if not _known(probe.label, probe.predicted):
        return None
    if validation is not None and not _known(validation.label, validation.predicted):
        return None
    position, labels = _positions(probe, validation)
    ones = None if validation is None else np.ones(validation.label.size)
    return Confusion(
        labels=labels,
        train=_table(position[probe.label], position[probe.predicted], strata, len(labels)),
        validation=None
        if validation is None or ones is None
        else _table(position[validation.label], position[validation.predicted], ones, len(labels)),
    )


def _positions(probe: TrainingProbe, validation: ValidationProbe | None) -> tuple[IntArray, tuple[str, ...]]:
    """Return the row of each class, shape (classes,), and what to call the rows."""
    sides = [probe.label, probe.predicted]
    if validation is not None:
        sides += [validation.label, validation.predicted]
    size = max(int(side.max()) for side in sides) + 1
    for counts in (probe.epoch_class_counts, validation.class_counts if validation else None):
        size = max(size, 0 if counts is None else counts.size)
    if size <= MOST_CLASSES:
        return np.arange(size), tuple(str(index) for index in range(size))
    seen = np.bincount(probe.label, minlength=size)
    if validation is not None:
        seen = seen + np.bincount(validation.label, minlength=size)
    kept = np.sort(np.argsort(-seen, kind="stable")[: MOST_CLASSES - 1])
    position = np.full(size, MOST_CLASSES - 1)
    position[kept] = np.arange(kept.size)
    return position, (*(str(index) for index in kept), OTHERS)


def _table(row: IntArray, column: IntArray, weight: FloatArray, size: int) -> tuple[tuple[float, ...], ...]:
    flat = np.bincount(row * size + column, weights=weight, minlength=size * size)
    return tuple(tuple(_short(value) for value in line) for line in flat.reshape(size, size).tolist())


def _short(value: float) -> float:
    return round(value, 1)


def _calibration(probe: TrainingProbe, validation: ValidationProbe | None, strata: FloatArray) -> Calibration | None:
    if probe.confidence is None or not _known(probe.label, probe.predicted):
        return None
    right = (probe.label == probe.predicted).astype(np.float64)
    train = reliability(probe.confidence, right, strata)
    if train is None:
        return None
    side = None
    if validation is not None and validation.confidence is not None:
        right = (validation.label == validation.predicted).astype(np.float64)
        side = reliability(validation.confidence, right, np.ones(right.size))
    return Calibration(train, side)


def reliability(confidence: FloatArray, right: FloatArray, weight: FloatArray) -> Reliability | None:
    """Return one side's reliability table with its expected calibration error (Guo et al., 2017).

    Args:
        confidence: predicted probability of the predicted class, shape (n,); NaN where it is unknown.
        right: 1 where the prediction is right, shape (n,).
        weight: what each sample stands for, shape (n,).

    Returns:
        None where no sample has a confidence.
    """
    known = np.isfinite(confidence) & (weight > 0)
    if not known.any():
        return None
    confidence, right, weight = confidence[known], right[known], weight[known]
    position = np.clip((confidence * CONFIDENCE_BINS).astype(np.int64), 0, CONFIDENCE_BINS - 1)

    def total(values: FloatArray) -> FloatArray:
        """Return the sum over each bin, shape (bins,)."""
        return np.bincount(position, weights=values, minlength=CONFIDENCE_BINS).astype(np.float64)

    mass = total(weight)
    held = mass > 0
    safe = np.where(held, mass, 1.0)
    sure, hit = total(weight * confidence) / safe, total(weight * right) / safe
    count = np.bincount(position, minlength=CONFIDENCE_BINS)
    # A bin's own sampling error: E|N(0, s)| = s·√(2/π).
    spread = np.sqrt(np.clip(sure * (1 - sure), 0.0, None) / np.maximum(count, 1) * 2 / math.pi)
    fraction = mass / mass.sum()
    return Reliability(
        count=tuple(count.tolist()),
        confidence=_held(sure, held),
        accuracy=_held(hit, held),
        mean_confidence=float(np.average(confidence, weights=weight)),
        mean_accuracy=float(np.average(right, weights=weight)),
        error=float((fraction * np.abs(sure - hit)).sum()),
        chance=float((fraction * spread).sum()),
    )


def _held(values: FloatArray, held: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> tuple[float | None, ...]:
    return tuple(round(float(v), 4) if h else None for v, h in zip(values, held, strict=True))


def _losses(probe: TrainingProbe, validation: ValidationProbe | None, strata: FloatArray) -> Losses | None:
    if probe.loss.is_of_batches:
        return None
    train = probe.loss.inference
    sides = [train] if validation is None else [train, validation.loss]
    edges = loss_edges(np.concatenate(sides))
    train_right = _right(probe.label, probe.predicted)
    spread = loss_spread(train, train_right, strata, edges)
    if spread is None:
        return None
    side = None
    if validation is not None:
        right = _right(validation.label, validation.predicted)
        side = loss_spread(validation.loss, right, np.ones(validation.loss.size), edges)
    return Losses(tuple(float(f"{edge:.4g}") for edge in edges), spread, side)


def _right(label: IntArray, predicted: IntArray) -> FloatArray | None:
    return (label == predicted).astype(np.float64) if _known(label, predicted) else None


def loss_edges(losses: FloatArray) -> FloatArray:
    """Return logarithmic bin edges, four a decade, that end above the largest loss and span six decades at most.

    Args:
        losses: of all samples that are to be sorted, shape (n,); only positive finite ones decide.
    """
    positive = losses[np.isfinite(losses) & (losses > 0)]
    if not positive.size:
        return np.array([1.0])
    top = math.ceil(math.log10(min(float(positive.max()), 1e300)) + 1e-9)
    low = math.floor(math.log10(max(float(np.quantile(positive, 0.01)), 1e-300)))
    bottom = min(max(low, top - _MOST_DECADES), top - 1)
    return np.asarray(10.0 ** (np.arange(bottom * _BINS_PER_DECADE, top * _BINS_PER_DECADE + 1) / _BINS_PER_DECADE))


def loss_spread(loss: FloatArray, right: FloatArray | None, weight: FloatArray, edges: FloatArray) -> LossSpread | None:
    """Return how the loss is spread over one side's samples.

    Args:
        loss: of each sample, shape (n,).
        right: 1 where the answer is right, shape (n,), or None where there is no right or wrong.
        weight: what each sample stands for, shape (n,).
        edges: between the bins, rising.

    Returns:
        None where no sample has a finite loss.
    """
    finite = np.isfinite(loss) & (weight > 0)
    if not finite.any():
        return None
    not_finite = int((~np.isfinite(loss)).sum())
    loss, weight = loss[finite], weight[finite]
    fraction = weight / weight.sum()
    position = np.searchsorted(edges, loss, side="right")

    def histogram(of: FloatArray) -> tuple[float, ...]:
        """Return what falls between neighbouring edges, below the first and above the last."""
        filled = np.bincount(position, weights=of, minlength=edges.size + 1)
        return tuple(round(value, 5) for value in filled.tolist())

    mean = float((fraction * loss).sum())
    order = np.argsort(loss, kind="stable")
    median, high, extreme = _quantiles(loss[order], fraction[order])
    answered = None if right is None else right[finite]
    return LossSpread(
        right=None if answered is None else histogram(fraction * answered),
        wrong=None if answered is None else histogram(fraction * (1 - answered)),
        all=histogram(fraction),
        mass=histogram(fraction * loss / mean if mean > 0 else fraction),
        samples=int(loss.size),
        not_finite=not_finite,
        mean=mean,
        deviation=math.sqrt(max(0.0, float((fraction * (loss - mean) ** 2).sum()))),
        median=median,
        high=high,
        extreme=extreme,
        largest=float(loss.max()),
        worst_share=_worst_fraction(loss[order], fraction[order], mean),
    )


def _quantiles(rising: FloatArray, fraction: FloatArray) -> tuple[float, float, float]:
    """Return the losses that half, 90 % and 99 % of samples stay below or at."""
    reached = np.cumsum(fraction)
    positions = np.searchsorted(reached, np.array([0.5, 0.9, 0.99]) - 1e-9)
    median, high, extreme = rising[np.minimum(positions, rising.size - 1)].tolist()
    return median, high, extreme


def _worst_fraction(rising: FloatArray, fraction: FloatArray, mean: float) -> float:
    """Return the part of the mean loss that the worst 1 % hold, the last sample of them counted in part."""
    if mean <= 0:
        return _WORST
    falling, part = rising[::-1], fraction[::-1]
    before = np.cumsum(part) - part
    counted = np.clip(_WORST - before, 0.0, part)
    return float((counted * falling).sum()) / mean
