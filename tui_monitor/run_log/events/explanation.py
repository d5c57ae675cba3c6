"""The explanation as data: what is measured, in the shape of the JSON that `explain --json` prints."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from tui_monitor.errors import RunUnreadable
from tui_monitor.run_log.events.distributions import Distributions
from tui_monitor.run_log.events.opened import OpenedEvidence
from tui_monitor.run_log.format.strict_json import restore_numbers, with_nulls

SCHEMA = 2
"""2 added the causes that open the within-class term, why a term has no amount, and `opened`; 1 is read like it."""


class Cause(StrEnum):
    """The named causes of a gap, in the order in which the ledger lists them."""

    IN_EPOCH_AVERAGING = "in_epoch_averaging"
    TRAIN_MODE_LAYERS = "train_mode_layers"
    SAMPLE_WEIGHTS = "sample_weights"
    BATCH_AVERAGING = "batch_averaging"
    CLASS_MIX = "class_mix"
    LEAKED = "leaked"
    INPUT_SCALE = "input_scale"
    UNFAMILIAR = "unfamiliar"
    MEMORISED = "memorised"
    WITHIN_CLASS = "within_class"
    MEASUREMENT = "measurement"

    @property
    def label(self) -> str:
        """The cause's name on screen, at most 24 characters."""
        return _LABELS[self]


_LABELS = {
    Cause.IN_EPOCH_AVERAGING: "Running average",
    Cause.TRAIN_MODE_LAYERS: "Dropout / batch norm",
    Cause.SAMPLE_WEIGHTS: "Class or sample weights",
    Cause.BATCH_AVERAGING: "Mean of batch means",
    Cause.CLASS_MIX: "Class mix (label shift)",
    Cause.LEAKED: "Leak",
    Cause.INPUT_SCALE: "Input scale",
    Cause.UNFAMILIAR: "Different data",
    Cause.MEMORISED: "Memorised",
    Cause.WITHIN_CLASS: "Within class",
    Cause.MEASUREMENT: "Unexplained rest",
}
_WITHOUT_CLASSES = "Harder or easier samples"


class Verdict(StrEnum):
    """What a term's interval lets us say about it."""

    MAIN = "main"
    CONTRIBUTES = "contributes"
    OFFSETS = "offsets"
    RULED_OUT = "ruled out"
    CANNOT_TELL = "cannot tell"

    @property
    def word(self) -> str:
        """The verdict on screen and in text."""
        return {Verdict.CONTRIBUTES: "adds", Verdict.CANNOT_TELL: "unclear"}.get(self, self.value)


NEGLIGIBLE, CHANCE = "negligible", "chance?"
"""Words for measured terms, see `Term.word`."""

LAG, OWN_NOISE = "batch_norm_lag", "batch_norm_noise"
"""Kinds of the parts that batch normalisation has."""


@dataclass(frozen=True)
class KindPart:
    """Part of the train-mode term that one kind of layer has."""

    kind: str
    """`batch_norm_lag` (moving statistics against ones estimated anew), `batch_norm_noise` (each batch's own against
    these), or other kinds of layers, `dropout`, `noise`, `augmentation`, `own layers`; kinds that were not told apart
    are joined by `+`."""
    effect: float
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None

    @property
    def label(self) -> str:
        """The part's name on screen."""
        names = {"batch_norm_lag": "batch norm: lag", "batch_norm_noise": "batch norm: batches"}
        return ", ".join(names.get(kind, kind) for kind in self.kind.split("+"))


@dataclass(frozen=True)
class Term:
    """One cause's amount. Signs are those of training minus validation; losses in nats, accuracies as fractions."""

    cause: Cause
    effect: float | None
    """The amount, or None when only logged values exist, and where `reason` says why it can't be measured."""
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None
    """Upper end of the 95 % interval."""
    verdict: Verdict
    reason: str = ""
    """Why there is no amount, in a sentence; its amount is then part of `within_class`. Empty where there is one."""
    parts: tuple[KindPart, ...] = ()
    """The train-mode term by kind of layer, adding up to it; empty where it was not opened."""

    @property
    def word(self) -> str:
        """The verdict beside the amount: what is measured to be small is negligible, not ruled out.

        An amount whose interval leaves 0 out and that still tells nothing is no larger than chance gives.
        """
        if self.effect is None or self.low is None or self.high is None:
            return self.verdict.word
        if self.verdict is Verdict.RULED_OUT:
            return NEGLIGIBLE
        is_known = self.low > 0 or self.high < 0
        return CHANCE if self.verdict is Verdict.CANNOT_TELL and is_known else self.verdict.word


@dataclass(frozen=True)
class Ledger:
    """A gap and the terms that add up to it."""

    gap: float | None
    """Reported training value minus reported validation value; None where one is not finite."""
    low: float | None
    """Lower end of the 95 % interval that sampling both sets leaves the gap."""
    high: float | None
    """Upper end of that interval."""
    within_noise: bool | None
    """Whether sampling alone would give a gap of this size; None when the sets' sizes are unknown."""
    terms: tuple[Term, ...]
    samples_to_settle: int | None = None
    """Validation samples with which sampling alone would seldom give this gap; None where no number of them would do,
    or the sets' sizes are unknown."""
    by_class: bool = True
    """Whether samples belong to classes, so that what is left is within these."""

    def label(self, cause: Cause) -> str:
        """Return a cause's name on screen in this ledger: without classes nothing is within one."""
        return _WITHOUT_CLASSES if cause is Cause.WITHIN_CLASS and not self.by_class else cause.label


def unmeasured(ledger: Ledger) -> dict[str, list[str]]:
    """Return the causes that have no amount, as names on screen, by the reason why."""
    names: dict[str, list[str]] = {}
    for term in ledger.terms:
        if term.reason:
            names.setdefault(term.reason, []).append(ledger.label(term.cause))
    return names


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
        beside = f" and {self.seconds_beside:g} s" if self.seconds_beside else ""
        return f"budget {self.budget * 100:g} %{beside}, not counting the first probe"


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
