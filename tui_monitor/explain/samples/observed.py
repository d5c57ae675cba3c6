"""What is known of a fit beside its samples' values, for the checks that are no terms of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Sentences are made of what checks found where nothing is computed, so without NumPy.
    from tui_monitor.explain.samples.labels import MultiLabel, Padding
    from tui_monitor.explain.samples.rerun import Rerun


class OutputScale(StrEnum):
    """What the loss takes the model's outputs for, against what they are."""

    AS_EXPECTED = "as expected"
    PROBABILITIES_AS_LOGITS = "probabilities as logits"
    """The last operation is a softmax or sigmoid, and the loss was made with `from_logits=True`."""
    ALWAYS_ONE = "always one"
    """The last operation is a softmax over one output."""


@dataclass(frozen=True)
class ValidationChange:
    """How validation's samples differ from those of the epoch that was measured before; nothing where they don't."""

    samples_before: int
    samples_now: int
    in_both: int
    """Samples of now whose inputs and labels were there before, counted as often as they were."""


@dataclass(frozen=True)
class WholeValidation:
    """How much validation data was given to `fit`, where that can be told without asking code of the user's."""

    samples: int | None = None
    batches: int | None = None


@dataclass(frozen=True)
class Observed:
    """One fit's facts at an epoch's end."""

    units_are_samples: bool = True
    """Whether each value is one sample's, so that it tells nothing of the next."""
    output_scale: OutputScale = OutputScale.AS_EXPECTED
    logit_threshold: float | None = None
    """Threshold that the reported accuracy puts on outputs that are logits of two classes; None otherwise."""
    takes_probabilities: bool = False
    """Whether the loss takes the outputs for probabilities."""
    class_kind: str = ""
    """How targets name classes: `one_hot`, `sparse`, `binary`; empty without classes."""
    accuracy_function: str = ""
    """Name of what the reported accuracy averages, in lower case without underscores; empty where it is not known."""
    has_signs: bool = False
    """Whether targets of two classes may be −1 and 1."""
    class_dispersion: float | None = None
    """Chi-squared of the class counts of the epoch's training batches against its shares; None without classes."""
    class_freedom: int = 0
    """Its degrees of freedom."""
    validation_change: ValidationChange | None = None
    validation_samples: int = 0
    """Samples of validation that were fingerprinted; 0 where none were."""
    validation_distinct: int = 0
    """Different ones among them, labels counted."""
    validation_given: WholeValidation = WholeValidation()
    """All of validation's data, where `validation_steps` was given."""
    validation_used: WholeValidation = WholeValidation()
    """What of it was validated in the newest epoch."""
    training_repeats: int = 0
    """Pairs of training samples of one epoch with the same inputs."""
    training_expected_back: float = 0.0
    """Of the newest epoch's fingerprinted training samples, those that would be known from earlier epochs if training
    were the same samples in every epoch."""
    training_back: int = 0
    """Those that were known."""
    input_types: tuple[str | None, str | None] = (None, None)
    """The narrow type that training's and validation's inputs all fit, empty where they need float32; None where too
    few values tell."""
    penalty_in_training: float = 0.0
    """Part of the training loss that is no sample's, in nats."""
    penalty_in_inference: float = 0.0
    """The same of a loss in inference mode."""
    labels: MultiLabel | None = None
    """Targets and outputs of a model whose samples have any number of labels; None for others."""
    padding: Padding | None = None
    """Which time steps are padding that nothing masks; None where none can be told."""
    rerun: Rerun | None = None
    """Some samples computed once more in float32; None for a model that computes in float32 anyway."""
