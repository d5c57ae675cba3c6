"""The table of runs on screen: rows for the window alone."""

from __future__ import annotations

from collections.abc import Sequence

from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.units import count
from tui_monitor.view.runs.columns import COLUMNS, Column, TableContext, fitted, knows
from tui_monitor.view.runs.prepared import PreparedRuns
from tui_monitor.view.runs.query import read_query
from tui_monitor.view.runs.table_state import TableState
from tui_monitor.view.text.rows import BLANK, Row, Rows, Run, cell_len, heading, left, right, wrap

_MARGIN = 4
"""Cells before the first column: the cursor and the mark."""
_SAMPLE = 100
"""Runs that decide how wide the columns are."""
_GONE = (State.FAILED, State.LOST)


def layout_of(prepared: PreparedRuns, state: TableState, width: int) -> tuple[tuple[Column, int], ...]:
    """Return the columns that there is room for, each with its width: the same wherever the window is, in any order."""
    wanted = [column for column in COLUMNS if column.name not in state.hidden]
    runs = prepared.found.by_name
    sample = runs[:: max(1, len(runs) // _SAMPLE)]
    longest = max(runs, key=lambda entry: len(entry.name), default=None)
    some = [*sample, longest] if longest is not None else []
    cells = [[_heading(column, prepared) for column in wanted]]
    cells += [[column.cell(entry, prepared.context) for column in wanted] for entry in some]
    return fitted(wanted, cells, width - _MARGIN, cell_len)


def _heading(column: Column, prepared: PreparedRuns) -> str:
    text = column.heading(prepared.context)
    is_sorted = prepared.sort.removeprefix("-") in (column.name, text.removeprefix("best "))
    return text + (" ↑" if prepared.sort.startswith("-") else " ↓") if is_sorted else text


def head_rows(
    prepared: PreparedRuns,
    shown: Sequence[RunEntry],
    state: TableState,
    columns: Sequence[tuple[Column, int]],
    where: str,
    width: int,
) -> Rows:
    """Return the two rows above the table: how many runs there are and how they are sorted, then the columns."""
    total, live = len(prepared.entries), len(prepared.found.live)
    of = f"{count(len(shown))} of " if len(shown) < total else ""
    parts = [f"{of}{count(total)} run{'' if total == 1 else 's'}"]
    parts += [f"{live} live"] if live else []
    parts += [f"{len(state.marked)} marked"] if state.marked else []
    parts += [f"filter {state.filter}"] if state.filter else []
    by = prepared.sort.removeprefix("-")
    if not any(by in (column.name, column.heading(prepared.context).removeprefix("best ")) for column, _ in columns):
        parts.append(f"by {by}")
    titles: list[Run] = [Run(" " * _MARGIN, "muted")]
    for column, size in columns:
        put = left if column.is_left else right
        titles += [put(_heading(column, prepared), size, "muted"), Run("  ", "")]
    note, title = " · ".join(parts), f"Runs in {where}"
    if cell_len(title) + cell_len(note) + 4 > width:
        title = "Runs"
    return heading(title, note, width), tuple(titles[:-1])


def table_rows(
    prepared: PreparedRuns,
    shown: Sequence[RunEntry],
    state: TableState,
    columns: Sequence[tuple[Column, int]],
    height: int,
    cursor: int,
) -> Rows:
    """Return the rows of the window, as many as `height`.

    Args:
        prepared: all runs.
        shown: those that fit the filter.
        state: says where the window is, and which runs are marked.
        columns: as `layout_of` returned them.
        height: rows.
        cursor: index of the run under the cursor, among those shown.
    """
    window = shown[state.top : state.top + height]
    rows = [
        _row(entry, prepared.context, state, columns, is_cursor=state.top + index == cursor)
        for index, entry in enumerate(window)
    ]
    return (*rows, *[BLANK] * (height - len(rows)))


def _row(
    entry: RunEntry,
    context: TableContext,
    state: TableState,
    columns: Sequence[tuple[Column, int]],
    *,
    is_cursor: bool,
) -> Row:
    runs = [Run(f"{'▶' if is_cursor else ' '}{_mark(entry.name, state)} ", "cursor" if is_cursor else "strong")]
    for column, size in columns:
        text = column.cell(entry, context)
        put = left if column.is_left else right
        cropped = text if cell_len(text) <= size else left(text, size - 1).text + "…"
        runs += [put(cropped, size, "cursor" if is_cursor else _style(column, entry)), Run("  ", "")]
    return tuple(runs[:-1])


def _mark(name: str, state: TableState) -> str:
    """Return two cells: the number of its mark, or that it is the baseline."""
    number = str(state.marked.index(name) + 1) if name in state.marked else " "
    return number + ("B" if name == state.baseline else " ")


def _style(column: Column, entry: RunEntry) -> str:
    if column.name == "state":
        return "alert" if entry.state in _GONE else "strong" if entry.is_live else "muted"
    if column.name == "best":
        return "strong"
    return "" if column.name in ("run", "differs", "tags", "epoch") else "muted"


def detail_rows(entry: RunEntry | None, prepared: PreparedRuns, state: TableState, width: int) -> Rows:
    """Return one row: what is wrong with the filter, else what the table has no room for of the run at the cursor."""
    query = read_query(state.filter)
    if query.complaint:
        return (wrap(query.complaint, width - 1, "caution") or (BLANK,))[:1]
    if entry is None:
        return (BLANK,)
    parts = [entry.name, entry.problem or entry.detail or entry.description, prepared.context.differences.text(entry)]
    text = " " + " · ".join(part for part in parts if part)
    if cell_len(text) > width:
        text = text[: width - 2].rpartition(" ")[0] + " …"
    return ((left(text, width, "muted"),),)


def empty_rows(prepared: PreparedRuns, state: TableState, where: str, width: int) -> Rows:
    """Return what stands in place of the table where no run is in it."""
    if prepared.entries:
        unknown = next((name for name in read_query(state.filter).names if not knows(name, prepared.entries)), None)
        reason = f": none has a metric, argument or column {unknown!r}" if unknown is not None else ""
        return (BLANK, *wrap(f"No run fits {state.filter!r}{reason}. Escape clears the filter.", width))
    sentences = (
        f"No runs in {where} yet.",
        "Start one in another terminal, with `tui-monitor demo` or `tui-monitor run train.py`: it appears here.",
    )
    return (BLANK, *(row for sentence in sentences for row in wrap(sentence, width)))
