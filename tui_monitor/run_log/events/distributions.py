"""What lies behind the averages of an explanation, as it is recorded; `explain.evidence` measures it."""

from dataclasses import dataclass

CONFIDENCE_BINS = 20
"""Equal parts of 0 … 1 that predictions are sorted into by their confidence."""
OTHERS = "others"
"""Label of the row in which the rarer of many classes stand together."""


@dataclass(frozen=True)
class Confusion:
    """Samples by true class (rows) and predicted class (columns)."""

    labels: tuple[str, ...]
    """Class of each row and column; the last is `others` where there are too many classes."""
    train: tuple[tuple[float, ...], ...]
    """Measured samples, weighted to the exact class shares, shape (classes, classes)."""
    validation: tuple[tuple[float, ...], ...] | None
    """Samples, or None without validation."""


@dataclass(frozen=True)
class Reliability:
    """One side's predictions by confidence, the predicted probability of the predicted class. Lists follow the bins."""

    count: tuple[int, ...]
    confidence: tuple[float | None, ...]
    """Mean confidence; None where the bin is empty."""
    accuracy: tuple[float | None, ...]
    """Fraction of right answers; None where the bin is empty."""
    mean_confidence: float
    mean_accuracy: float
    error: float
    """Expected calibration error: mean distance between confidence and accuracy, bins weighted by their samples."""
    chance: float
    """What `error` would be on average for a perfectly calibrated model on as many samples."""


@dataclass(frozen=True)
class Calibration:
    """How far confidence can be believed; bins cut 0 … 1 into `CONFIDENCE_BINS` equal parts."""

    train: Reliability
    validation: Reliability | None


@dataclass(frozen=True)
class LossSpread:
    """How one side's loss is spread over its samples."""

    right: tuple[float, ...] | None
    """Fraction of all samples that are right and have their loss in each bin; None where nothing is right or wrong."""
    wrong: tuple[float, ...] | None
    """The same for samples that are wrong."""
    all: tuple[float, ...]
    """The same for all samples."""
    mass: tuple[float, ...]
    """Fraction of the whole loss that the samples of each bin hold together."""
    samples: int
    """Samples whose loss is a finite number."""
    not_finite: int
    """Samples whose loss is not."""
    mean: float
    deviation: float
    """Standard deviation over samples."""
    median: float
    high: float
    """The loss that 90 % of samples stay below."""
    extreme: float
    """The loss that 99 % of samples stay below."""
    largest: float
    worst_share: float
    """Fraction of the whole loss that the worst 1 % of samples hold; 0.01 if all were alike."""


@dataclass(frozen=True)
class Losses:
    """Per-sample losses of both sides over the same logarithmic bins."""

    edges: tuple[float, ...]
    """Between the bins, rising; the first and the last bin are open."""
    train: LossSpread
    validation: LossSpread | None


@dataclass(frozen=True)
class Distributions:
    """What lies behind one moment's averages. Parts that the model or its data do not have are None."""

    confusion: Confusion | None
    calibration: Calibration | None
    losses: Losses | None
    train_samples: int
    """Training samples of the epoch so far, measured or not."""
    validation_samples: int | None
    """Validation samples, measured or not."""
