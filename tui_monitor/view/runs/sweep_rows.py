"""A sweep as rows: which hyper-parameters go with a better value, then the runs, best first."""

from collections.abc import Sequence

from tui_monitor.compare.sweep import LEAST_RUNS, ArgumentEffect, Sweep
from tui_monitor.metric_names import is_higher_better
from tui_monitor.run_log.runs.folders import printable
from tui_monitor.units import count, rounded, signed
from tui_monitor.view.text.bars import signed_bar
from tui_monitor.view.text.rows import BLANK, Row, Rows, Run, cell_len, left, plain, right, wrap

_MOST_RUNS = 200
"""Rows of the ranking: who looks further filters the table."""
_BAR = 11
_AMOUNT, _INTERVAL = 6, 16
_WIDEST_VALUE, _WIDEST_NAME = 14, 32
_GAP = 2


def group_name(script: str) -> str:
    """Return how the runs of one script are called together."""
    return printable(script) or "runs without a script"


def effect_sentence(effect: ArgumentEffect, metric: str) -> str:
    """Return what can be said of a hyper-parameter's correlation with the best value of a metric."""
    if effect.correlation is None:
        return "no correlation: that needs three runs with numbers that vary"
    if effect.low is None or effect.high is None:
        return f"over {effect.runs} runs; {LEAST_RUNS} give an interval"
    if effect.low <= 0 <= effect.high:
        return "chance alone would give that"
    if not effect.is_settled:
        return "not settled: among so many arguments chance gives that to one"
    better = (effect.correlation > 0) is is_higher_better(metric)
    return f"{'more' if better else 'less'} of it goes with a better {plain(metric)}"


def sweep_rows(sweep: Sweep, width: int, *, most: int = _MOST_RUNS) -> Rows:
    """Return a sweep in rows of at most `width` cells.

    Args:
        sweep: the runs of one script.
        width: cells.
        most: runs in the ranking.
    """
    title = f"Rank correlation with the best {plain(sweep.metric)}, 95 % interval"
    rows: list[Row] = [*wrap(title, width, "headline")]
    if not sweep.effects:
        rows += wrap("No argument differs among these runs; tui_monitor.note(lr=0.1) in a script adds values.", width)
    room = min(24, max(8, width - 2 * _GAP - _BAR - _AMOUNT - _INTERVAL))
    label = min(room, max((cell_len(plain(effect.name)) for effect in sweep.effects), default=0))
    for effect in sweep.effects:
        rows += _effect_rows(effect, sweep.metric, label, width)
    if len(sweep.effects) > 1:
        rows += wrap(
            "Values of a sweep are often chosen together: a correlation does not say which of them makes it better.",
            width,
            "muted",
        )
    return (*rows, BLANK, *_ranking(sweep, width, most))


def _effect_rows(effect: ArgumentEffect, metric: str, label: int, width: int) -> Rows:
    style = "strong" if effect.is_settled else "muted"
    start: list[Run] = [left(plain(effect.name), label, style), Run(" ", "")]
    if effect.correlation is not None:
        start += [*signed_bar(effect.correlation, 1.0, _BAR), right(signed(effect.correlation, 2), _AMOUNT, style)]
        interval = ""
        if effect.low is not None and effect.high is not None:
            interval = f"[{signed(effect.low, 2)}, {signed(effect.high, 2)}]"
        start += [right(interval, _INTERVAL, "muted"), Run("  ", "")]
    taken = sum(cell_len(run.text) for run in start)
    sentence = effect_sentence(effect, metric)
    if width - taken >= min(cell_len(sentence), 30):
        lines = wrap(sentence, width - taken, style)
        further = ((left("", taken), *line) for line in lines[1:])
        return ((*start, *lines[0]), *further)
    return (tuple(start), *wrap(sentence, width, style, indent="  "))


def _ranking(sweep: Sweep, width: int, most: int) -> Rows:
    """Return a row for each run; hyper-parameters that go with the metric least give way first."""
    names = [effect.name for effect in sweep.effects]
    shown = sweep.ranked[:most]
    cells = [["", "best", "at", "run", *map(plain, names)]]
    for number, entry in enumerate(shown, 1):
        best = entry.best[sweep.metric]
        values = (plain(entry.arguments.get(name, "–")) for name in names)
        cells.append([str(number), rounded(best.value), str(best.epoch), printable(entry.name), *values])
    widths = [max(cell_len(row[column]) for row in cells) for column in range(len(cells[0]))]
    widths[3] = min(widths[3], _WIDEST_NAME)
    widths[4:] = [min(size, _WIDEST_VALUE) for size in widths[4:]]
    columns = _fitting_columns(widths, width)
    rows: list[Row] = [_cells(cells[0], columns, widths, "muted")]
    rows += [_cells(row, columns, widths, "strong" if row is cells[1] else "") for row in cells[1:]]
    if len(columns) < len(widths):
        hidden = ", ".join(plain(names[column - 4]) for column in range(4, len(widths)) if column not in columns)
        rows += wrap(f"No room for {hidden}.", width, "muted")
    if len(sweep.ranked) > most:
        rows.append((Run(f"{count(len(sweep.ranked) - most)} more are worse.", "muted"),))
    return tuple(rows)


def _fitting_columns(widths: Sequence[int], width: int) -> list[int]:
    """Return the columns that there is room for: the run's own first, then hyper-parameters in their order."""
    columns, room = [], width
    for column in (0, 1, 2, 3, *range(4, len(widths))):
        if column >= 4 and widths[column] > room:
            continue
        columns.append(column)
        room -= widths[column] + _GAP
    return columns


def _cells(row: Sequence[str], columns: Sequence[int], widths: Sequence[int], style: str) -> Row:
    runs: list[Run] = []
    for column in columns:
        text, size = row[column], widths[column]
        cropped = text if cell_len(text) <= size else left(text, size - 1).text + "…"
        runs += [(right if column in (0, 1, 2) else left)(cropped, size, style), Run(" " * _GAP, "")]
    return tuple(runs[:-1])
