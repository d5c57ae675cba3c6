"""What each check that is no term has found. Free of NumPy: sentences are made of it where nothing is computed."""

from dataclasses import dataclass

from tui_monitor.explain.samples.observed import ValidationChange
from tui_monitor.run_log.events.opened import FoundLeak


@dataclass(frozen=True)
class LogitThreshold:
    """The reported accuracy puts its threshold on logits."""

    threshold: float
    train: tuple[float, float]
    """Accuracy as reported over the probed samples, and at a probability of one half."""
    validation: tuple[float, float]


@dataclass(frozen=True)
class WrongScale:
    """The loss takes the outputs for something else than they are."""

    are: str
    taken_for: str


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
class Repeated:
    """Validation holds the same samples several times."""

    samples: int
    distinct: int


@dataclass(frozen=True)
class MissingClasses:
    """Classes that only one side holds."""

    only_training: tuple[int, ...]
    only_validation: tuple[int, ...]


@dataclass(frozen=True)
class NotFinite:
    """Losses of samples that are NaN or infinite on one side alone."""

    train: int
    validation: int


@dataclass(frozen=True)
class PenaltyInOneMode:
    """A penalty is part of the loss in one mode alone."""

    training: float
    inference: float


Check = (
    FoundLeak
    | LogitThreshold
    | WrongScale
    | LabelMap
    | LabelShift
    | NotShuffled
    | Drift
    | ValidationChange
    | Repeated
    | MissingClasses
    | NotFinite
    | PenaltyInOneMode
)


LABELS_APART = (LabelMap, LabelShift)
"""Checks that find validation's labels to be others than its inputs are given in training."""
