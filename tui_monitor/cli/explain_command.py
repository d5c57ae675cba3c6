"""`explain`: a run's measured explanations as text or JSON, without TensorFlow or a screen."""

import json
import math
import sys
from collections.abc import Sequence

from tui_monitor.errors import NothingMeasured, RunUnreadable, UsageError
from tui_monitor.explain.words.text import explanation_text
from tui_monitor.history.load_epochs import load_epochs
from tui_monitor.history.snapshot import FitSnapshot, Snapshot
from tui_monitor.run_log.runs.folders import printable
from tui_monitor.run_log.runs.place import local_run
from tui_monitor.view.explanations import answer, fit_to_explain, measured_epochs
from tui_monitor.view.fit_names import fit_name

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
        RunUnreadable: an explanation is damaged, or of a newer version.
    """
    if every and epoch is not None:
        raise UsageError("--epoch and --all exclude each other.")
    folder = local_run(run, runs)
    snapshot = load_epochs(folder)
    shares, chosen = _shares(class_shares), fit_to_explain(snapshot, fit)
    answers = [answer(snapshot, chosen, number, shares) for number in _epochs(chosen, epoch=epoch, every=every)]
    measured = [found.held.epoch for found in answers if found.held is not None]
    if shares is not None and measured:
        _say_what_is_ignored(measured)
    for number, found in enumerate(answers):
        if found.content is None:
            raise NothingMeasured(found.why_none)
        if as_json:
            sys.stdout.write(json.dumps(found.content, separators=(",", ":"), ensure_ascii=_replaces()) + "\n")
        elif found.explanation is None:
            raise RunUnreadable(found.why_none)
        else:
            sys.stdout.write(("\n\n" if number else "") + explanation_text(found.explanation) + "\n")
    beside = [] if as_json else _beside(snapshot, chosen)
    if beside:
        sys.stdout.write("\n" + "\n".join(beside) + "\n")
    return 0


def _replaces() -> bool:
    """Return whether the output's encoding would replace characters, which would make another JSON of it."""
    return (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"


def _beside(snapshot: Snapshot, fit: FitSnapshot | None) -> list[str]:
    """Return what belongs beside the explanations: other fits, alerts, and what a log's reading had to guess."""
    lines = []
    if fit is not None and len(snapshot.fits) > 1:
        lines.append(f"This is {printable(fit_name(snapshot.fits, fit.info.index))}; --fit explains another.")
    kinds = ("alert", "note") if snapshot.is_log else ("alert",)
    own = (None, fit.info.index if fit is not None else None)
    entries = [entry for entry in snapshot.timeline if entry.kind in kinds and (entry.fit in own or snapshot.is_log)]
    sentences = list(dict.fromkeys(f"{entry.kind.capitalize()}: {printable(entry.text)}" for entry in entries))
    lines += sentences[:_MOST_SENTENCES]
    if len(sentences) > _MOST_SENTENCES:
        lines.append(f"And {len(sentences) - _MOST_SENTENCES} more in the timeline.")
    return lines


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


def _epochs(fit: FitSnapshot | None, *, epoch: int | None, every: bool) -> Sequence[int | None]:
    """Return the epochs asked for; None stands for the newest."""
    if not every or fit is None:
        return [epoch]
    return sorted({*measured_epochs(fit), *(row.epoch for row in fit.epochs)})


def _say_what_is_ignored(measured: Sequence[int]) -> None:
    """Say on standard error where class shares have no use: a probe counted them."""
    which = f"epoch {measured[0]}" if len(measured) == 1 else f"epochs {measured[0]} to {measured[-1]}"
    sys.stderr.write(f"--class-shares is ignored for {which}: what was measured holds the class shares.\n")
