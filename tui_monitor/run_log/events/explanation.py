"""The explanation as data: what is measured, in the shape of the JSON that `explain --json` prints."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tui_monitor.errors import RunUnreadable
from tui_monitor.run_log.events.distributions import Distributions
from tui_monitor.run_log.events.ledger import (
    Ledger,
)
from tui_monitor.run_log.events.opened import OpenedEvidence
from tui_monitor.run_log.format.strict_json import restore_numbers, with_nulls

SCHEMA = 2
"""2 added the causes that open the within-class term, why a term has no amount, and `opened`; 1 is read like it."""


@dataclass(frozen=True)
class SideMistakes:
    """How one side's samples fare, in inference mode and unweighted."""

    error_rate: float
    loss_when_right: float | None
    """Mean loss of correctly classified samples in nats, or None when there are none."""
    loss_when_wrong: float | None
    """Mean loss of wrongly classified samples in nats, or None when there are none."""


@dataclass(frozen=True)
class MistakeEffects:
    """Amounts that add up to the difference of the mean losses, training minus validation, in nats."""

    more_mistakes: float
    when_right: float
    when_wrong: float


@dataclass(frozen=True)
class Mistakes:
    """The loss difference of the two sides, split into how often and how badly they err."""

    train: SideMistakes
    validation: SideMistakes
    effects: MistakeEffects | None
    """None where a side has no sample that is right, or none that is wrong."""


@dataclass(frozen=True)
class Classes:
    """What each side holds of each class, and how the model does on it. Lists follow `labels`."""

    labels: tuple[str, ...]
    train_share: tuple[float, ...]
    validation_share: tuple[float, ...]
    p_value: float | None
    """Probability of shares at least this different if both sides drew from one population."""
    train_recall: tuple[float | None, ...]
    validation_recall: tuple[float | None, ...]
    train_precision: tuple[float | None, ...]
    validation_precision: tuple[float | None, ...]


@dataclass(frozen=True)
class Labels:
    """What each side holds of each label where samples may have several, and how the model does on it."""

    each: Classes
    """Shares are of the samples that have the label; `p_value` is the smallest of all labels times their number."""
    train_samples: int
    """Measured, of training."""
    validation_samples: int


@dataclass(frozen=True)
class Baseline:
    """What the majority-class baseline scores on each side: entropy in nats, and the majority's share."""

    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True)
class Stratified:
    """What validation shows when its samples count at training's class shares, with 95 % intervals.

    A split by class would have shown this; losses in nats, accuracies None where the run reports none.
    """

    loss: float
    loss_low: float
    loss_high: float
    accuracy: float | None = None
    accuracy_low: float | None = None
    accuracy_high: float | None = None


KNOWN = "known"
"""Verdict of a finding that is a fact, not a cause's amount."""


@dataclass(frozen=True)
class Finding:
    """One thing that can be said, with what to do about it."""

    cause: str
    verdict: str
    sentence: str
    advice: str
    code: str = ""
    """Lines that do what the advice says; empty where there is nothing to type."""


@dataclass(frozen=True)
class Cost:
    """What measuring took."""

    seconds: float
    """Time spent on probes so far, one-time tracing left out."""
    share_of_training: float
    """`seconds` over training time."""
    tracing_seconds: float = 0.0
    """One-time cost of building the probe's functions."""
    budget: float | None = None
    """Fraction of training time that measuring may take, the first probe left out; None in runs that did not say."""
    seconds_beside: float = 0.0
    """Seconds that measuring may take in the whole run beside that."""

    @property
    def limit(self) -> str:
        """The budget in words; empty where there is none to speak of."""
        if self.budget is None or self.budget >= 1:
            return ""
        beside = f"{self.seconds_beside:g} s and " if self.seconds_beside else ""
        return f"allowed: {beside}{self.budget * 100:g} % of training, not counting the first probe"


@dataclass(frozen=True)
class OutputExplanation:
    """The gaps of one of several outputs: of its own loss, before `loss_weights`, and of its accuracy."""

    name: str
    reported: Mapping[str, float | None]
    """`loss`, `val_loss`, `accuracy`, `val_accuracy` of the output, as Keras reported them."""
    loss: Ledger | None
    accuracy: Ledger | None
    classes: Classes | None = None
    unit: str = "sample"
    """What its means are over."""
    in_nats: bool = True
    """Whether its loss is in nats."""
    verdict: str = ""
    """What its two gaps are, in one line; this and what follows are empty in runs recorded before there were any."""
    headline: str = ""
    """Why, in one sentence."""
    next_step: str = ""
    """What to do about it, in one line."""


@dataclass(frozen=True)
class Explanation:
    """Why the two gaps are what they are, at one moment of one run."""

    run: str
    epoch: int
    """From 1."""
    evidence: str
    """`probe` when measured, `log` when concluded from logged values alone."""
    reported: Mapping[str, float | None]
    """`loss`, `val_loss`, `accuracy`, `val_accuracy` as Keras reported them."""
    paradox: bool
    """Whether `val_loss < loss` and `val_accuracy < accuracy` as reported."""
    loss: Ledger | None
    accuracy: Ledger | None
    mistakes: Mistakes | None
    classes: Classes | None
    baseline: Baseline | None
    penalty: float | None
    """L1/L2 and other penalties inside both losses, in nats."""
    samples: Mapping[str, int | None]
    """`train` and `validation`: samples the probe measured on each side."""
    cost: Cost | None
    verdict: str
    """What the two gaps are, in one line."""
    headline: str
    """Why, in one sentence."""
    next_step: str
    """What to do about it, in one line; empty when there is nothing to do."""
    findings: tuple[Finding, ...] = ()
    batch: int | None = None
    """Batches of the epoch done when it was measured; None at the epoch's end."""
    limits: tuple[str, ...] = ()
    """Sentences on what could not be measured for this model or data, and why."""
    stratified: Stratified | None = None
    """None without classes, and where validation lacks one that training holds."""
    distributions: Distributions | None = None
    """What lies behind the averages; None within an epoch, from a log, and in runs recorded before there were any."""
    opened: OpenedEvidence | None = None
    """What lies behind the terms that open the within-class and the train-mode term; None where nothing was opened."""
    labels: Labels | None = None
    """Of samples that may have several labels; None where samples have one class or none."""
    outputs: tuple[OutputExplanation, ...] = ()
    """Of each output with a loss, where there are several; `loss` is the sum's then."""
    unit: str = "sample"
    """What the means are over: a sample, or where these hold several things that count, a time step or a pixel."""
    in_nats: bool = True
    """Whether the loss is in nats: a cross-entropy on hard labels, or not known to be another one."""
    schema: int = SCHEMA

    def of_output(self, number: int) -> "Explanation":
        """Return what is explained of one of several outputs alone; what is known of the whole only is left out.

        Args:
            number: of the output, from 1; 0 is the whole. Numbers beyond the last begin again at the whole.
        """
        number %= len(self.outputs) + 1
        if number == 0:
            return self
        output = self.outputs[number - 1]
        return replace(
            self,
            **{name: getattr(output, name) for name in _OF_AN_OUTPUT},
            mistakes=None,
            baseline=None,
            stratified=None,
            findings=(),
            outputs=(),
        )


_OF_AN_OUTPUT = ("reported", "loss", "accuracy", "classes", "unit", "in_nats", "verdict", "headline", "next_step")


def explanation_to_json(explanation: Explanation) -> dict[str, Any]:
    """Return the JSON object of the definition; keys that do not apply are None, never missing.

    Values that are not finite become None: JSON has no word for them.
    """
    import msgspec  # noqa: PLC0415 - a training and a list of runs have no use for it at their start

    content = with_nulls(msgspec.to_builtins(explanation))
    return {"schema": content.pop("schema"), **content}


def explanation_from_json(content: Mapping[str, Any]) -> Explanation:
    """Read what `explanation_to_json` wrote; unknown keys are ignored.

    Raises:
        RunUnreadable: the object is not an explanation of this schema.
    """
    import msgspec  # noqa: PLC0415

    try:
        return msgspec.convert(content, Explanation)
    except msgspec.ValidationError as error:
        raise RunUnreadable(
            f"An explanation in this run can't be read ({error}). It may be damaged or from a newer version."
        ) from error


@dataclass(frozen=True)
class RecordedExplanation:
    """An explanation as a run holds it: read once, when it is first asked for, and an object from there on."""

    recorded: Mapping[str, Any]
    """The JSON object in the event's line."""

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """The same with NaN and the infinities as numbers: what `explain --json` prints, whatever version wrote it."""
        restored: Mapping[str, Any] = restore_numbers(self.recorded)
        return restored

    @property
    def explanation(self) -> Explanation | None:
        """The explanation, or None where `problem` says why it can't be read."""
        return self._read[0]

    @property
    def problem(self) -> str:
        """Why it can't be read, in a sentence; empty where it can."""
        return self._read[1]

    @property
    def has_distributions(self) -> bool:
        """Whether it holds what lies behind its averages; known without reading it."""
        return bool(self.recorded.get("distributions"))

    @cached_property
    def _read(self) -> tuple[Explanation | None, str]:
        try:
            return explanation_from_json(self.recorded), ""
        except RunUnreadable:
            # A number that another writer spelled as a string.
            try:
                return explanation_from_json(self.content), ""
            except RunUnreadable as error:
                return None, str(error)
