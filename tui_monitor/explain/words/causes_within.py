"""What is said of the causes that open the within-class and the train-mode term, from what was found of each."""

from tui_monitor import units
from tui_monitor.explain.evidence.check_results import LabelMap, LabelShift
from tui_monitor.explain.words.facts import Facts, term_of
from tui_monitor.run_log.events.ledger import OWN_NOISE, Cause, KindPart
from tui_monitor.run_log.events.opened import FoundLeak

OPENED_SUBJECTS = (Cause.LEAKED, Cause.INPUT_SCALE, Cause.UNFAMILIAR, Cause.MEMORISED)


def opened_subject(cause: Cause, facts: Facts) -> str:
    """Return the subject of a clause on one of these causes, in the singular."""
    opened, labels = facts.opened, labels_apart(facts)
    if labels and cause not in (Cause.LEAKED, Cause.INPUT_SCALE):
        return f"that {labels}"
    if cause is Cause.LEAKED and opened is not None and opened.leak is not None:
        return f"that {leaked_share(opened.leak)} of validation stands in training"
    if cause is Cause.INPUT_SCALE and opened is not None and opened.scale is not None:
        return f"that validation's inputs {opened.scale.pattern_name or 'are scaled differently'}"
    return "that validation's data differ from training's"


def labels_apart(facts: Facts) -> str:
    """Return what sets validation's labels apart from training's, as a clause; empty where nothing was found."""
    for check in facts.checks:
        if isinstance(check, LabelMap):
            return "validation's class numbers mean other classes than training's"
        if isinstance(check, LabelShift):
            return "validation's labels are out of step with its inputs"
    return ""


def leading_part(facts: Facts) -> KindPart | None:
    """Return the kind of layer that makes up most of the train-mode term, in loss or else accuracy; or None."""
    for ledger in (facts.loss, facts.accuracy):
        term = term_of(ledger, Cause.TRAIN_MODE_LAYERS)
        if term is None or not term.parts or not term.effect:
            continue
        largest = max(term.parts, key=lambda part: abs(part.effect))
        if largest.effect * term.effect > 0 and 2 * abs(largest.effect) > abs(term.effect):
            return largest
    return None


def train_mode_subject(facts: Facts) -> tuple[str, bool]:
    """Return the subject of a clause on layers that act in training alone, and whether it is in the plural."""
    part = leading_part(facts)
    if part is None:
        return "layers that act in training alone (dropout, batch norm, noise)", True
    if part.kind == OWN_NOISE:
        return "batch norm with statistics of single batches", False
    return part.label, "," in part.label


def leaked_share(leak: FoundLeak) -> str:
    """Return the fraction of validation that stands in training, `about` where it is an estimate."""
    about = "" if leak.fraction_high - leak.fraction_low < 0.005 else "about "
    return about + units.percentage(leak.fraction, 0 if leak.fraction >= 0.1 else 1)
