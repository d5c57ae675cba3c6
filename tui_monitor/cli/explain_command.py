"""`explain`: a run's measured explanations as text or JSON, without TensorFlow or a screen."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tui_monitor.errors import NothingMeasured, UsageError
from tui_monitor.explain.from_log import explain_log
from tui_monitor.explain.words.text import explanation_text
from tui_monitor.history.load_epochs import load_epochs
from tui_monitor.history.snapshot import PhaseSnapshot, Snapshot
from tui_monitor.run_log.events.explanation import explanation_from_json
from tui_monitor.run_log.runs.folders import find_run, runs_folder

Content = Mapping[str, Any]


def explain(
    run: str, runs: str | None, *, epoch: int | None, every: bool, as_json: bool, class_shares: str | None
) -> int:
    """Print the explanations asked for and return the exit code.

    Args:
        run: folder or name.
        runs: folder of the runs.
        epoch: the only epoch to explain, or None.
        every: whether to explain all epochs.
        as_json: whether to print JSON, one object a line.
        class_shares: shares of the classes, separated by commas, for epochs that were logged but not measured.

    Raises:
        UsageError: both one epoch and all are asked for.
        RunNotFound: no run of that name or path.
        NothingMeasured: there is nothing to explain it with.
    """
    if every and epoch is not None:
        raise UsageError("--epoch and --all exclude each other.")
    folder = find_run(run, runs_folder(runs))
    snapshot = load_epochs(folder)
    contents = _asked_for(snapshot, epoch=epoch, every=every, shares=_shares(class_shares))
    if not contents:
        raise NothingMeasured(_nothing_to_explain(snapshot, folder.name, epoch))
    for number, content in enumerate(contents):
        if as_json:
            sys.stdout.write(json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n")
        else:
            sys.stdout.write(("\n\n" if number else "") + explanation_text(explanation_from_json(content)) + "\n")
    return 0


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
    snapshot: Snapshot, *, epoch: int | None, every: bool, shares: Sequence[float] | None
) -> Sequence[Content]:
    """Return explanations of the newest phase that has any: measured ones, and what the log can prove elsewhere."""
    phase = next((phase for phase in reversed(snapshot.phases) if phase.epochs or phase.explanations), None)
    if phase is None:
        return []
    measured = _measured(phase)
    ended = {row.epoch: row for row in phase.epochs}
    if every:
        epochs: Sequence[int] = sorted({*measured, *ended})
    elif epoch is not None:
        epochs = [epoch] if epoch in measured or epoch in ended else []
    else:
        epochs = sorted(measured or ended)[-1:]
    return [
        measured[number]
        if number in measured
        else explain_log(
            snapshot.run.name,
            number,
            ended[number].figures,
            shares,
            measured_epoch=min(measured, key=lambda other: abs(other - number), default=None),
        )
        for number in epochs
    ]


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
