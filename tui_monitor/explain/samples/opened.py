"""What opens the within-class term: copies of training samples, inputs mapped to training's scale, a fresh-batch test.

Arrays with an entry for each validation sample follow the order of `ValidationProbe`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tui_monitor.explain.samples.observed import Observed
from tui_monitor.explain.samples.probes import FloatArray, IntArray
from tui_monitor.run_log.events.opened import BatchNormLag, FoundLeak, InputScale

Matches = NDArray[np.int8]

NOT_COMPARED = -1
"""Entry of a validation sample whose inputs were not compared with training's."""


@dataclass(frozen=True)
class Leak:
    """Which validation samples have inputs that stand in training, byte by byte or but for small changes."""

    matched: Matches
    """1 where training holds the same inputs or nearly so, 0 where none was found, else `NOT_COMPARED`; shape (n,)."""
    training_fraction: float
    """Fraction of training's samples that the comparison covers."""
    training_fraction_error: float
    """Its standard error."""
    found: FoundLeak
    """What is recorded of it."""
    is_beyond_chance: bool
    """Whether more copies stand across the sets than repeats within each set make likely."""
    repeats: bool
    """Whether training's samples are known to come back unchanged in later epochs, so that copies would be found."""
    misses_near: bool = False
    """Whether copies with small changes may be there that were not looked for."""
    doubtful: float = 0.0
    """Samples that may be matched wrongly, or wrongly not; 0 where inputs are compared byte by byte."""


@dataclass(frozen=True)
class Rescaled:
    """Validation samples run once more with their inputs mapped to training's scale, shape (m,) each."""

    sample: IntArray
    """Index of each among the validation samples."""
    loss: FloatArray
    correct: FloatArray | None
    loss_as_fed: FloatArray
    """The loss of the same samples with their inputs as they were fed."""
    scale: InputScale
    """What is recorded of it."""
    loss_error: float = 0.0
    """Standard error of the mean loss that estimating the mapping gives; 0 for a mapping that is no estimate."""
    correct_error: float = 0.0


@dataclass(frozen=True)
class Features:
    """What both sides' samples are like, of features that training on a sample has not changed; `k` and `m` samples."""

    train: FloatArray
    """Shape (k, features), standardised as training has them."""
    label: IntArray
    """Class of each, shape (k,); all the same where there are none."""
    other: FloatArray
    """Of validation, shape (m, features)."""
    other_label: IntArray
    weight: FloatArray
    """Ratio of the sides' densities at each validation sample, shape (m,)."""


@dataclass(frozen=True)
class Fresh:
    """Both sides at one moment of epoch 1, in inference mode; the training batches were not trained on until then."""

    batch: IntArray
    """Ordinal of the batch of each training sample, shape (k,), not falling."""
    label: IntArray
    loss: FloatArray
    correct: FloatArray | None
    validation_sample: IntArray
    """Index of each measured sample among the validation samples, shape (m,)."""
    validation_label: IntArray
    validation_loss: FloatArray
    """At that moment."""
    validation_correct: FloatArray | None
    batches_before: int
    """Batches that the model had been trained on."""
    features: Features
    """What the samples are like, of their inputs and of their values at that moment."""


@dataclass(frozen=True)
class BatchNorm:
    """Both sides in inference mode with other statistics of batch normalisation."""

    loss: FloatArray
    """Of each probed training sample with statistics estimated anew, shape (n,), as in `TrainingProbe`."""
    correct: FloatArray
    own_loss: FloatArray | None
    """The same with each batch's own statistics; None where no other layer acts in training alone."""
    own_correct: FloatArray | None
    validation_sample: IntArray
    """Index of each measured sample among the validation samples, shape (m,)."""
    validation_loss: FloatArray
    """Of these, with statistics estimated anew."""
    validation_correct: FloatArray
    found: BatchNormLag
    """What is recorded of it, but for validation's values."""


@dataclass(frozen=True)
class Opened:
    """What was measured of the within-class term; a part that is None has its reason."""

    leak: Leak | None = None
    rescaled: Rescaled | None = None
    fresh: Fresh | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    """JSON names of causes to why they can't be measured, each a sentence."""
    batch_norm: BatchNorm | None = None
    other_kinds: tuple[str, ...] = ()
    """Kinds of layers, batch normalisation apart, that act in training alone."""
    observed: Observed | None = None
    """What the checks need that are no terms."""
    same_scale: bool = False
    """Whether both sides' inputs have the same moments within chance, or nearly so: then the scale costs nothing."""
