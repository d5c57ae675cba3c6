"""What each check that is no term has found. Free of NumPy: sentences are made of it where nothing is computed."""

from dataclasses import dataclass

from tui_monitor.explain.samples.observed import ValidationChange
from tui_monitor.run_log.events.opened import FoundLeak

Pair = tuple[float, float]


@dataclass(frozen=True)
class LogitThreshold:
    """The reported accuracy puts its threshold on logits."""

    threshold: float
    train: Pair
    """Accuracy as reported over the probed samples, and at a probability of one half."""
    validation: Pair


@dataclass(frozen=True)
class OtherAccuracy:
    """The reported accuracy is not the fraction of samples whose class is predicted."""

    function: str
    """Name of what it averages; empty where it is not known."""
    class_kind: str
    train: Pair
    """Accuracy as reported over the probed samples, and the fraction that is predicted."""
    validation: Pair
    is_logits: bool = False


@dataclass(frozen=True)
class MultiLabelAccuracy:
    """The reported accuracy of samples with several labels counts something else than labels at one half."""

    counts: str
    """`largest` where it looks for the label of the largest output alone, `threshold` where it is put on logits."""
    threshold: float
    train: Pair
    """Accuracy as reported over the measured samples, and labels that are right at a probability of one half."""
    validation: Pair
    exact: Pair
    """Samples all of whose labels are right, in training and validation."""
    is_logits: bool


@dataclass(frozen=True)
class RareLabels:
    """Accuracy by label says little, as hardly any label is there: saying none scores as much."""

    accuracy: float
    """Of labels in validation, at a probability of one half."""
    without: float
    """What saying of every label what is commoner scores."""
    exact: float
    """Samples all of whose labels are right."""
    found: float
    """Of the labels that are there, those that are found."""


@dataclass(frozen=True)
class WrongScale:
    """The loss takes the outputs for something else than they are."""

    are: str
    taken_for: str


@dataclass(frozen=True)
class SoftmaxOfOne:
    """The model ends in a softmax over a single output, which is always 1."""


@dataclass(frozen=True)
class LabelMap:
    """Validation's labels fit far better under another map of classes."""

    moved: tuple[tuple[int, int], ...]
    """Class in validation, and the class that the model says for it."""
    accuracy: float
    """Of validation as it is."""
    accuracy_mapped: float


@dataclass(frozen=True)
class LabelShift:
    """Validation's labels are shifted by some positions against their inputs."""

    places: int
    accuracy: float
    accuracy_shifted: float


@dataclass(frozen=True)
class UnrelatedLabels:
    """What the model says of validation's inputs agrees with their labels no more often than by chance."""

    train: Pair
    """Fraction of predictions that agree with the label, and what two unrelated lists would give."""
    validation: Pair


@dataclass(frozen=True)
class NotShuffled:
    """Training's batches differ in their class counts more than shuffled ones."""

    times: float
    """How many times as much."""


@dataclass(frozen=True)
class Drift:
    """Validation's loss grows or falls over its order, class for class."""

    first: float
    """Mean loss of the first quarter, in nats, class shares evened out."""
    last: float
    """The same of the last quarter."""


@dataclass(frozen=True)
class CutValidation:
    """`validation_steps` ends validation before all of its data was seen."""

    used: int
    given: int
    unit: str
    """`samples` or `batches`."""


@dataclass(frozen=True)
class Repeated:
    """Validation holds the same samples several times."""

    samples: int
    distinct: int


@dataclass(frozen=True)
class WeightedValidation:
    """Validation's samples are weighted, though training's are not, or by the labels themselves."""

    is_label: bool
    low: float
    high: float
    weighted: float
    """Mean loss with the weights, as reported."""
    plain: float
    """The same without them."""


@dataclass(frozen=True)
class NewTraining:
    """None of the training samples that were to be expected again came back in a later epoch."""

    expected: float
    back: int


@dataclass(frozen=True)
class MissingClasses:
    """Classes that only one side holds."""

    only_training: tuple[int, ...]
    only_validation: tuple[int, ...]


@dataclass(frozen=True)
class PaddingCounted:
    """Time steps that are padding are part of a mean."""

    fraction: float
    """Of the time steps that count."""
    in_loss: bool
    """Whether the loss counts them, too."""
    train: Pair
    """Accuracy with and without them, or loss where there is no accuracy."""
    validation: Pair | None
    is_accuracy: bool = True


@dataclass(frozen=True)
class NotFinite:
    """Losses of samples that are NaN or infinite on one side alone."""

    train: int
    validation: int


@dataclass(frozen=True)
class Rounded:
    """One side's numbers have fewer digits than the other's."""

    side: str
    """`training` or `validation`."""
    dtype: str
    """The type that all of them fit."""
    of: str
    """`inputs` or `losses`."""


@dataclass(frozen=True)
class RoundingFelt:
    """Losses that a model computes in a narrow type are not what float32 gives."""

    dtype: str
    training: Pair
    """Mean loss of some samples as computed, and in float32; of those that are finite in both."""
    validation: Pair
    overflowed: tuple[int, int]
    """Samples of training and of validation whose loss is NaN or infinite in the narrow type alone."""


@dataclass(frozen=True)
class PenaltyInOneMode:
    """A penalty is part of the loss in one mode alone."""

    training: float
    inference: float


Check = (
    FoundLeak
    | LogitThreshold
    | OtherAccuracy
    | MultiLabelAccuracy
    | RareLabels
    | WrongScale
    | SoftmaxOfOne
    | LabelMap
    | LabelShift
    | UnrelatedLabels
    | NotShuffled
    | Drift
    | ValidationChange
    | CutValidation
    | Repeated
    | WeightedValidation
    | NewTraining
    | MissingClasses
    | PaddingCounted
    | NotFinite
    | Rounded
    | RoundingFelt
    | PenaltyInOneMode
)


MISREAD = (
    SoftmaxOfOne,
    WrongScale,
    LogitThreshold,
    OtherAccuracy,
    MultiLabelAccuracy,
    WeightedValidation,
    UnrelatedLabels,
    PaddingCounted,
    NotFinite,
)
"""Checks that find the reported values to be others than they are taken for: what to do about that comes first."""

LABELS_APART = (LabelMap, LabelShift)
"""Checks that find validation's labels to be others than its inputs are given in training."""
