"""A gap as terms that add up to it: causes, verdicts, amounts with their intervals, and what each is called."""

from dataclasses import dataclass
from enum import StrEnum


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
    def is_named(self) -> bool:
        """Whether sentences name a cause of this verdict."""
        return self in (Verdict.MAIN, Verdict.CONTRIBUTES, Verdict.OFFSETS)

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
