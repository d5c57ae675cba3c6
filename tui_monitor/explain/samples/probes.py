"""What the ledger is computed from: per-sample metrics of probed batches beside exact totals of the epoch."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tui_monitor.run_log.events.ledger import Cause

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

NO_CLASS = -1
"""Label of a sample that belongs to no class, as in regression."""


class Averaging(StrEnum):
    """How a reported training value averages its batches."""

    SAMPLES = "samples"
    """Each batch counts by its size: Keras 3's own loop."""
    BATCHES = "batches"
    """Each batch counts the same: Keras 2's progress bar, and many custom loops."""
    UNITS = "units"
    """Each batch counts by the units that its mean is over: accuracy of time steps, some of which are masked."""


class Weighting(StrEnum):
    """How sample weights enter a reported training value."""

    NONE = "none"
    """Not at all: accuracy under `metrics=`."""
    PER_SAMPLE = "per_sample"
    """The weighted sum is divided by the number of samples: the loss reduction `sum_over_batch_size`."""
    PER_BATCH_WEIGHT = "per_batch_weight"
    """Divided by the batch's sum of weights: the loss reduction `mean_with_sample_weight`."""
    PER_EPOCH_WEIGHT = "per_epoch_weight"
    """Divided by the epoch's sum of weights: accuracy under `weighted_metrics=`."""


@dataclass(frozen=True)
class PerSampleMetric:
    """One per-sample metric (loss in nats, or 1 where correct) of the probed training samples, shape (n,) each."""

    then: FloatArray
    """As it was when the batch was trained on: weights of the time, training mode."""
    training: FloatArray
    """Re-measured at the current weights in training mode."""
    inference: FloatArray
    """Re-measured at the current weights in inference mode."""
    reported: float
    """The training value as reported for the whole epoch."""
    averaging: Averaging
    weighting: Weighting
    unweighted: FloatArray | None = None
    """`training` as it is without the samples' weights, where these are inside values of whole batches and validation
    has none; else None."""
    offset_then: float = 0.0
    """Penalty inside the reported loss, as it was on average over the epoch."""
    offset_now: float = 0.0
    """Penalty at the current weights, part of training and validation loss alike."""
    is_of_batches: bool = False
    """Whether the values are those of whole batches, the same for each sample of one: what the loss of a model that
    computes it itself, or that gives one number for a batch, can be measured by."""
    unsplit: tuple[Cause, ...] = ()
    """Causes that can't be told apart here: what they come to stays in `within_class`."""
    in_nats: bool = True
    """Whether it is a loss in nats, a cross-entropy on hard labels, or an accuracy; other losses have units of their
    own."""


IN_LOSS, IN_ACCURACY = 1, 2
"""Bits of `counted`."""


@dataclass(frozen=True)
class TrainingProbe:
    """Probed training batches; arrays have one entry for each unit, shape (n,).

    A unit is a sample, or where a sample holds several things to classify one of these: a time step, a pixel.
    """

    batch: IntArray
    """Ordinal of the probed batch each sample belongs to, from 0, not falling."""
    label: IntArray
    """Class index, or `NO_CLASS`."""
    predicted: IntArray
    """Class predicted in inference mode, or `NO_CLASS`."""
    weight: FloatArray
    """Sample weight as training applied it; 1 where there was none."""
    loss: PerSampleMetric
    accuracy: PerSampleMetric | None
    """None when the run reports no accuracy."""
    epoch_batches: int
    """Batches that the reported values cover, probed or not."""
    epoch_class_counts: IntArray | None
    """Samples of each class in all those batches, shape (classes,); None without classes."""
    confidence: FloatArray | None = None
    """Probability given to the predicted class in inference mode, shape (n,); NaN where the model gives none."""
    sample: IntArray | None = None
    """Ordinal of the sample each unit belongs to, shape (n,), not falling; None where samples are the units."""
    batch_samples: FloatArray | None = None
    """Samples of each probed batch, shape (batches,); None where samples are the units."""
    counted: IntArray | None = None
    """Which means each unit is part of, as bits (`IN_LOSS`, `IN_ACCURACY`), shape (n,); None where all are part of
    both. Class counts have one more entry then: what is no part of the loss is a class of its own, the last."""

    @property
    def batches(self) -> int:
        """How many batches were probed."""
        return int(self.batch.max(initial=-1)) + 1 if self.batch_samples is None else self.batch_samples.size


@dataclass(frozen=True)
class ValidationProbe:
    """Validation samples, or other units, in inference mode, shape (n,) each."""

    batch: IntArray
    label: IntArray
    predicted: IntArray
    weight: FloatArray
    """Sample weight given with the validation data; 1 where there was none."""
    loss: FloatArray
    correct: FloatArray | None
    """1 where the prediction is right; None when the run reports no accuracy."""
    reported_loss: float | None
    """Validation loss as reported; None where nothing was reported yet and the probe's own value stands."""
    reported_accuracy: float | None
    """Validation accuracy as reported; None where nothing was reported yet, and where there is no accuracy."""
    class_counts: IntArray | None
    """Samples of each class in all of validation, shape (classes,)."""
    complete: bool
    """Whether the arrays cover all of validation."""
    offset: float = 0.0
    """Penalty inside the validation loss."""
    weighting: Weighting = Weighting.PER_SAMPLE
    """How validation's own sample weights enter its loss."""
    accuracy_weighting: Weighting = Weighting.NONE
    """How validation's own sample weights enter its accuracy."""
    confidence: FloatArray | None = None
    """Probability given to the predicted class, shape (n,); NaN where the model gives none."""
    sample: IntArray | None = None
    """As in `TrainingProbe`, and so are the next two."""
    batch_samples: FloatArray | None = None
    counted: IntArray | None = None
    averaging: Averaging = Averaging.SAMPLES
    """How the reported loss averages validation's batches."""
    accuracy_averaging: Averaging = Averaging.SAMPLES
    """How the reported accuracy does."""

    @property
    def batches(self) -> int:
        """How many batches the arrays hold."""
        return int(self.batch.max(initial=-1)) + 1 if self.batch_samples is None else self.batch_samples.size


def loss_within_classes(validation: ValidationProbe) -> FloatArray:
    """Return what the loss of each validation sample is above the mean of its class, shape (n,)."""
    label = np.maximum(validation.label, 0)
    means = np.bincount(label, weights=validation.loss) / np.maximum(np.bincount(label), 1)
    return np.asarray(validation.loss - means[label], dtype=np.float64)


def effective_weights(weight: FloatArray, batch: IntArray, weighting: Weighting) -> FloatArray:
    """Return weights under which the reported value is a plain mean over samples, shape (n,).

    Args:
        weight: raw sample weights, shape (n,).
        batch: batch ordinal of each sample, shape (n,).
        weighting: how the value uses them. A batch whose weights sum to 0 contributes 0.
    """
    if weighting is Weighting.NONE:
        return np.ones_like(weight)
    if weighting is Weighting.PER_SAMPLE:
        return weight
    if weighting is Weighting.PER_EPOCH_WEIGHT:
        total = weight.mean() if weight.size else 0.0
        return weight / total if total > 0 else np.zeros_like(weight)
    sizes = np.bincount(batch)
    sums = np.bincount(batch, weights=weight)
    scale = np.divide(sizes, sums, out=np.zeros_like(sums), where=sums > 0)
    return weight * scale[batch]
