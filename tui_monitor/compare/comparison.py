"""Two runs, put side by side: the one function that answers why they differ."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tui_monitor.compare import words
from tui_monitor.compare.changes import Change, ScriptDifference, changes, script_difference
from tui_monitor.compare.ledgers import LedgerDifference, ledger_difference
from tui_monitor.compare.outcome import Outcome, outcome
from tui_monitor.compare.recorded_run import RecordedRun, read_run

SCHEMA = 1


@dataclass(frozen=True)
class Comparison:
    """Why the second run differs from the first."""

    first: str
    """Name of the run."""
    second: str
    epochs: tuple[int | None, int | None]
    """Compared in each run."""
    verdict: str
    """Which is better, or that chance alone would give the difference."""
    why: str
    next_step: str
    outcome: Outcome
    loss: LedgerDifference | None
    """Of the loss gap; None where one of the runs was not measured."""
    accuracy: LedgerDifference | None
    changes: tuple[Change, ...]
    script: ScriptDifference
    schema: int = SCHEMA


def compare(first: Path, second: Path, *, at_best: bool = False) -> Comparison:
    """Return why the second run differs from the first.

    Args:
        first: a run folder.
        second: another.
        at_best: whether to compare the epochs with the lowest validation loss in place of the last ones. The best of
            many epochs was chosen on the same samples, so that each run looks a little better than it is.

    Raises:
        RunNotFound: there is no run in one of the folders.
        RunUnreadable: one `run.json` is damaged or of a newer format.
    """
    return compared(read_run(first, at_best=at_best), read_run(second, at_best=at_best))


def compared(one: RecordedRun, other: RecordedRun) -> Comparison:
    """Return why the second of two runs that were read differs from the first."""
    found = outcome(one, other, _labels(one) or _labels(other))
    changed = changes(one, other)
    script = script_difference(one.origin, other.origin)
    loss, accuracy = (ledger_difference(one.explanation, other.explanation, name) for name in ("loss", "accuracy"))
    return Comparison(
        first=one.name,
        second=other.name,
        epochs=(one.epoch.epoch if one.epoch else None, other.epoch.epoch if other.epoch else None),
        verdict=words.verdict(one.name, other.name, found),
        why=words.why(changed, script, found, loss, accuracy),
        next_step=words.next_step(changed, script, found),
        outcome=found,
        loss=loss,
        accuracy=accuracy,
        changes=changed,
        script=script,
    )


def comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as plain JSON types, `schema` first."""
    content = asdict(comparison)
    return {"schema": content.pop("schema"), **content}


def _labels(run: RecordedRun) -> tuple[str, ...]:
    classes = run.explanation.classes if run.explanation is not None else None
    return classes.labels if classes is not None else ()
