"""What opening the within-class term has found, as it is recorded; `training.probe.opening` measures it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CopiedSample:
    """A validation sample whose inputs stand in training, byte by byte or but for small changes."""

    validation: int
    """Its index among the validation samples, in the order in which they were validated."""
    epoch: int
    """Epoch in which its copy was trained on, from 1."""
    batch: int
    """Batch of that epoch, from 0."""
    row: int
    """Sample of that batch, from 0."""


@dataclass(frozen=True)
class FoundLeak:
    """Validation samples that stand in training, as far as samples of both sides were compared."""

    copies: int
    """Validation samples with a copy among the training samples that were compared."""
    compared: int
    """Validation samples that were compared."""
    training_compared: int
    """Different training samples that they were compared with."""
    training_fraction: float
    """Fraction of all training samples that these are."""
    fraction: float
    """Estimated fraction of validation samples that stand in all of training."""
    fraction_low: float
    """Lower end of its 95 % interval."""
    fraction_high: float
    """Upper end; without a copy it is 3 over the number of comparisons that could have found one."""
    repeats_within: int
    """Pairs of samples with the same inputs inside one of the sets."""
    p_value: float
    """Probability of as many copies if samples repeat across the sets as they do within each of them."""
    same_label: float | None
    """Fraction of the copies whose labels are the same, too; None without labels to compare."""
    examples: tuple[CopiedSample, ...] = ()
    """Some of the copies, in the order of validation."""
    near: int = 0
    """Copies among them that have changed a little, as by noise or compression; 0 where all are exact."""


@dataclass(frozen=True)
class ChannelMoments:
    """One channel or feature of an input, as fed to the model on both sides."""

    input: int
    """Which of the model's inputs, from 0."""
    channel: int
    train_mean: float
    train_deviation: float
    validation_mean: float
    validation_deviation: float


@dataclass(frozen=True)
class Histogram:
    """Fractions of an input's values that lie in each of several ranges of equal width."""

    edges: tuple[float, ...]
    """Ends of the ranges, one more than there are ranges."""
    train: tuple[float, ...]
    validation: tuple[float, ...]


@dataclass(frozen=True)
class InputScale:
    """How the inputs of both sides are scaled, as fed to the model."""

    pattern: str
    """How training's inputs follow from validation's, such as `x / 255`; empty where no usual one fits."""
    pattern_name: str
    """The pattern in words, the end of a sentence after "validation's inputs"; empty where none fits."""
    channels: tuple[ChannelMoments, ...]
    """Those that differ most, the largest difference first; empty where none differs."""
    differing: int
    """Channels that differ beyond chance."""
    of_channels: int
    histogram: Histogram | None = None
    """Of the channel that differs most."""


@dataclass(frozen=True)
class FreshTest:
    """The fresh-batch test in epoch 1: both sides at one moment, on training batches not trained on until then."""

    batches_before: int
    """Batches that the model had been trained on at that moment."""
    train_samples: int
    validation_samples: int
    train_loss: float
    """Mean loss of the training samples at that moment, in inference mode."""
    validation_loss: float


@dataclass(frozen=True)
class BatchNormLag:
    """What the moving statistics of batch normalisation cost, against statistics estimated anew from whole batches."""

    layers: int
    """Batch normalisation layers."""
    batches: int
    """Batches that the statistics were estimated from."""
    steps_to_follow: float
    """Steps after which moving statistics have taken in all but a twentieth of a change."""
    val_loss: float | None
    """What `val_loss` would be with statistics estimated anew, in nats; None where validation was not measured so."""
    val_accuracy: float | None


@dataclass(frozen=True)
class CopyPlaces:
    """Where in validation's order copies of training samples stand."""

    samples: int
    """Of validation."""
    parts: tuple[float | None, ...]
    """Fraction of each of equal parts that are copies; None where none of a part was compared."""


@dataclass(frozen=True)
class MovedClass:
    """A class of validation that the model takes for another one. Values are fractions of the class's samples."""

    own: str
    """The class that validation's labels say."""
    said: str
    """The class that the model says for it."""
    train_said: float | None
    """Of training's samples of the class, those that are taken for the other one; None where it has none."""
    train_own: float | None
    """Of these, those that are taken for the class itself."""
    validation_said: float
    validation_own: float


@dataclass(frozen=True)
class MovedClasses:
    """The map of classes under which validation's labels fit the model."""

    moved: tuple[MovedClass, ...]
    accuracy: float
    """Of validation as its labels are."""
    accuracy_mapped: float
    """Under the map."""


@dataclass(frozen=True)
class SampleOrder:
    """What runs over the order of samples, in parts of equal size."""

    samples: int
    """Of validation."""
    loss: tuple[float, ...]
    """Mean loss of each part of validation, as if all parts held the classes in the same shares."""
    error: tuple[float, ...]
    """Its standard error."""
    classes: tuple[str, ...]
    """Training's commonest classes; empty without classes, and where too few batches were measured."""
    train_shares: tuple[tuple[float, ...], ...]
    """Of each of these, its share in parts of training's measured batches, in the order of the epoch."""


@dataclass(frozen=True)
class OpenedEvidence:
    """What lies behind the terms that open the within-class and the train-mode term, and behind the checks."""

    leak: FoundLeak | None = None
    scale: InputScale | None = None
    fresh: FreshTest | None = None
    batch_norm: BatchNormLag | None = None
    copies: CopyPlaces | None = None
    """None where no copy was found."""
    moved: MovedClasses | None = None
    """None where validation's classes mean what training's do."""
    order: SampleOrder | None = None
    """None where validation was not measured whole, or is small."""
