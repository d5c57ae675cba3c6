"""`explain`: a run's measured explanations as text or JSON, without TensorFlow or a screen."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tui_monitor.errors import NothingMeasured, UsageError
from tui_monitor.explain.explanation import explanation_from_json
from tui_monitor.explain.log_evidence import explain_log, has_both_sides
from tui_monitor.explain.text import explanation_text
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import PhaseSnapshot, Snapshot
from tui_monitor.run_log.folders import find_run, printable, runs_folder

Content = Mapping[str, Any]
_MOST_SENTENCES = 12


def explain(
    run: str,
    runs: str | None,
    *,
    epoch: int | None,
    every: bool,
    as_json: bool,
    class_shares: str | None,
    fit: int | None = None,
) -> int:
    """Print the explanations asked for and return the exit code.

    Args:
        run: folder or name.
        runs: folder of the runs.
        epoch: the only epoch to explain, or None.
        every: whether to explain all epochs.
        as_json: whether to print JSON, one object a line.
        class_shares: shares of the classes, separated by commas, for epochs that were logged but not measured.
        fit: the call of `fit` to explain, from 1; None for the last that holds anything.

    Raises:
        UsageError: both one epoch and all are asked for, or a fit that the run does not have.
        RunNotFound: no run of that name or path.
        NothingMeasured: there is nothing to explain it with.
    """
    if every and epoch is not None:
        raise UsageError("--epoch and --all exclude each other.")
    folder = find_run(run, runs_folder(runs))
    snapshot = load(folder)
    phase = _chosen_fit(snapshot, fit)
    contents = _asked_for(snapshot, phase, epoch=epoch, every=every, shares=_shares(class_shares))
    if not contents:
        raise NothingMeasured(_nothing_to_explain(snapshot, folder.name, epoch))
    if as_json:
        # Another encoding would replace what it has no character for, and the JSON would be another's.
        is_plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        for content in contents:
            sys.stdout.write(json.dumps(content, separators=(",", ":"), ensure_ascii=is_plain) + "\n")
        return 0
    blocks = [explanation_text(explanation_from_json(content)) for content in contents]
    sys.stdout.write("\n\n\n".join(blocks) + "\n")
    beside = _beside(snapshot, phase)
    if beside:
        sys.stdout.write("\n" + "\n".join(beside) + "\n")
    return 0


def _chosen_fit(snapshot: Snapshot, fit: int | None) -> PhaseSnapshot | None:
    if fit is not None:
        if fit > len(snapshot.phases):
            count = len(snapshot.phases)
            raise UsageError(f"--fit {fit}: the run has {count} {'call' if count == 1 else 'calls'} of fit.")
        return snapshot.phases[fit - 1]
    return next((phase for phase in reversed(snapshot.phases) if phase.epochs or phase.explanations), None)


def _beside(snapshot: Snapshot, phase: PhaseSnapshot | None) -> list[str]:
    """Return what belongs beside the explanations: other fits, alerts, and what a log's reading had to guess."""
    lines = []
    if phase is not None and len(snapshot.phases) > 1:
        lines.append(f"This is fit {phase.info.index} of {len(snapshot.phases)}; --fit explains another.")
    kinds = ("alert", "note") if snapshot.is_log else ("alert",)
    entries = [entry for entry in snapshot.timeline if entry.kind in kinds]
    sentences = list(dict.fromkeys(f"{entry.kind.capitalize()}: {printable(entry.text)}" for entry in entries))
    lines += sentences[:_MOST_SENTENCES]
    if len(sentences) > _MOST_SENTENCES:
        lines.append(f"And {len(sentences) - _MOST_SENTENCES} more in the timeline.")
    return lines


def _nothing_to_explain(snapshot: Snapshot, name: str, epoch: int | None) -> str:
    if snapshot.state.ended and not snapshot.phases:
        return f"{name} has ended without a call of `fit`: there is nothing to explain."
    which = f"epoch {epoch}" if epoch is not None else "any epoch"
    return f"{name} holds no figures of {which} to explain" + ("." if snapshot.state.ended else " yet.")


def _shares(text: str | None) -> Sequence[float] | None:
    """Return shares that add up to 1; counts are scaled."""
    if text is None:
        return None
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        shares = []
    if len(shares) < 2 or any(not 0 <= share < math.inf for share in shares) or sum(shares) <= 0:
        raise UsageError(f"--class-shares {text}: give one share for each class, separated by commas, such as 0.8,0.2.")
    return [share / sum(shares) for share in shares]


def _asked_for(
    snapshot: Snapshot,
    phase: PhaseSnapshot | None,
    *,
    epoch: int | None,
    every: bool,
    shares: Sequence[float] | None,
) -> Sequence[Content]:
    """Return explanations of one fit: measured ones, and what the log can prove elsewhere."""
    if phase is None:
        return []
    measured = _measured(phase)
    ended = {row.epoch: row for row in phase.epochs}
    if every:
        epochs: Sequence[int] = sorted({*measured, *ended})
    elif epoch is not None:
        epochs = [epoch] if epoch in measured or epoch in ended else []
    elif measured:
        epochs = [max(measured)]
    else:
        epochs = _last_with_both_sides(phase)
    return [
        measured[number]
        if number in measured
        else explain_log(
            snapshot.run.name,
            number,
            ended[number].figures,
            shares,
            measured_epoch=min(measured, key=lambda other: abs(other - number), default=None),
            samples=(ended[number].samples, ended[number].validation_samples),
        )
        for number in epochs
    ]


def _last_with_both_sides(phase: PhaseSnapshot) -> list[int]:
    """Return the last epoch that has a gap to explain, else the last; none where no epoch ended."""
    numbers = [row.epoch for row in phase.epochs]
    return [row.epoch for row in phase.epochs if has_both_sides(row.figures)][-1:] or numbers[-1:]


def _measured(phase: PhaseSnapshot) -> dict[int, Content]:
    """Return the last explanation of each epoch, the one at its end where there is one."""
    newest: dict[int, Content] = {}
    ended: set[int] = set()
    for entry in phase.explanations:
        if entry.batch is None:
            ended.add(entry.epoch)
            newest[entry.epoch] = entry.content
        elif entry.epoch not in ended:
            newest[entry.epoch] = entry.content
    return newest
