"""What is said of the causes that open the within-class term, from what was found of each."""

from tui_monitor import units
from tui_monitor.explain.words.facts import Facts
from tui_monitor.run_log.events.explanation import Cause
from tui_monitor.run_log.events.opened import FoundLeak

OPENED_SUBJECTS = (Cause.LEAKED, Cause.INPUT_SCALE, Cause.UNFAMILIAR, Cause.MEMORISED)


def opened_subject(cause: Cause, facts: Facts) -> str:
    """Return the subject of a clause on one of these causes, in the singular."""
    opened = facts.opened
    if cause is Cause.LEAKED and opened is not None and opened.leak is not None:
        return f"that {leaked_share(opened.leak)} of validation stands in training"
    if cause is Cause.INPUT_SCALE and opened is not None and opened.scale is not None:
        return f"that validation's inputs {opened.scale.pattern_name or 'are scaled differently'}"
    if cause is Cause.UNFAMILIAR:
        return "that validation's data differ from training's, seen before anything was memorised,"
    return "that training samples were memorised"


def leaked_share(leak: FoundLeak) -> str:
    """Return the fraction of validation that stands in training, `about` where it is an estimate."""
    about = "" if leak.fraction_high - leak.fraction_low < 0.005 else "about "
    return about + units.share(leak.fraction, 0 if leak.fraction >= 0.1 else 1)
