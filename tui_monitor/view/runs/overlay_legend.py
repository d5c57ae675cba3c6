"""The legend of several runs on one chart: a row each, with the value at the newest epoch that all of them have."""

from collections.abc import Sequence

from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.units import rounded, signed
from tui_monitor.view.charts.overlay import OverlaidRun, OverlayState, Side, overlay_metrics, value_at
from tui_monitor.view.text.rows import Rows, end_of, left, plain, right

_NUMBER, _VALUE, _STATE = 4, 11, 14
_WIDEST_TEXT = 16
"""Cells of what differs, for which names give way."""


def overlay_legend(runs: Sequence[OverlaidRun], state: OverlayState, texts: Sequence[str], width: int) -> Rows:
    """Return a heading and a row for each run.

    Args:
        runs: in the order of their numbers.
        state: what the user chose.
        texts: what differs in the arguments of each run.
        width: cells a row.
    """
    metrics = overlay_metrics(runs)
    stem = metrics[state.metric % len(metrics)]
    name = stem if state.side is Side.TRAINING else VALIDATION_PREFIX + stem
    epoch = _common_epoch(runs, name)
    first = next((value for run in runs if (value := value_at(run, name, epoch)) is not None), None)
    longest = max([len(run.name) for run in runs] + [3])
    said = min(_WIDEST_TEXT, max(map(len, texts), default=0))
    label = min(longest, max(12, width - _NUMBER - 3 * _VALUE - _STATE - said))
    at = "last epoch" if epoch is None else f"epoch {epoch}"
    heads = (at, "to first", "last")
    rows = [(left("", _NUMBER), left("run", label, "muted"), *(right(head, _VALUE, "muted") for head in heads))]
    for run, text in zip(runs, texts, strict=True):
        is_hidden = run.number in state.hidden
        style = "muted" if is_hidden else f"run-{run.number}"
        here, last = value_at(run, name, epoch), value_at(run, name)
        difference = signed(here[1] - first[1], 4) if here is not None and first is not None else ""
        rows.append(
            (
                left(f" {run.number}{'×' if is_hidden else ' '}", _NUMBER, style),
                left(end_of(plain(run.name), label), label, style),
                right(rounded(here[1]) if here is not None else "–", _VALUE, "muted" if is_hidden else ""),
                right("" if run is runs[0] else difference, _VALUE, "strong"),
                right(rounded(last[1]) if last is not None else "–", _VALUE, "muted"),
                left(f"  {run.state}  {text}", max(0, width - _NUMBER - label - 3 * _VALUE), "muted"),
            )
        )
    return tuple(rows)


def _common_epoch(runs: Sequence[OverlaidRun], name: str) -> int | None:
    """Return the newest epoch in which every run has a value; None where there is none."""
    epochs = [
        {row.epoch for row in run.fit.epochs if name in row.metrics} if run.fit is not None else set() for run in runs
    ]
    shared = set.intersection(*epochs) if epochs else set()
    return max(shared, default=None)
