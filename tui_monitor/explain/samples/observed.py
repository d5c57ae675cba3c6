"""What is known of a fit beside its samples' values, for the checks that are no terms of the ledger."""

from dataclasses import dataclass
from enum import StrEnum


class OutputScale(StrEnum):
    """What the loss takes the model's outputs for, against what they are."""

    AS_EXPECTED = "as expected"
    PROBABILITIES_AS_LOGITS = "probabilities as logits"
    """The last operation is a softmax or sigmoid, and the loss was made with `from_logits=True`."""


@dataclass(frozen=True)
class ValidationChange:
    """How validation's samples differ from those of the epoch that was measured before; nothing where they don't."""

    samples_before: int
    samples_now: int
    in_both: int
    """Samples of now whose inputs and labels were there before, counted as often as they were."""


@dataclass(frozen=True)
class Observed:
    """One fit's facts at an epoch's end."""

    output_scale: OutputScale = OutputScale.AS_EXPECTED
    logit_threshold: float | None = None
    """Threshold that the reported accuracy puts on outputs that are logits of two classes; None otherwise."""
    takes_probabilities: bool = False
    """Whether the loss takes the outputs for probabilities."""
    class_dispersion: float | None = None
    """Chi-squared of the class counts of the epoch's training batches against its shares; None without classes."""
    class_freedom: int = 0
    """Its degrees of freedom."""
    validation_change: ValidationChange | None = None
    validation_samples: int = 0
    """Samples of validation that were fingerprinted; 0 where none were."""
    validation_distinct: int = 0
    """Different ones among them, labels counted."""
    training_repeats: int = 0
    """Pairs of training samples of one epoch with the same inputs."""
    penalty_in_training: float = 0.0
    """Part of the training loss that is no sample's, in nats."""
    penalty_in_inference: float = 0.0
    """The same of a loss in inference mode."""
