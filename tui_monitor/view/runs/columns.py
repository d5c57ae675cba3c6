"""Every column of the table of runs: what it shows of a run, what it sorts by, and when it gives way."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tui_monitor import units
from tui_monitor.metric_names import VALIDATION_PREFIX, is_higher_better
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.run_log.runs.folders import printable
from tui_monitor.view.runs.differences import Differences
from tui_monitor.view.runs.query import value_of
from tui_monitor.view.text.bars import sparkline

VALIDATION_LOSS = VALIDATION_PREFIX + "loss"
NO_VALUE = "–"
_LAST = ("loss", VALIDATION_LOSS, "accuracy", VALIDATION_PREFIX + "accuracy")
_TREND = 12


@dataclass(frozen=True)
class TableContext:
    """What a cell depends on beside its run."""

    metric: str = VALIDATION_LOSS
    """Whose best value the table shows."""
    differences: Differences = field(default_factory=Differences)
    now: float = 0.0
    """Seconds since 1970-01-01 UTC."""


@dataclass(frozen=True)
class Column:
    """One column."""

    name: str
    """By which it is sorted and chosen."""
    cell: Callable[[RunEntry, TableContext], str]
    rank: int
    """The higher, the sooner it gives way where there is no room."""
    is_left: bool = False
    widest: int = 40
    """Cells it takes at most."""
    title: Callable[[TableContext], str] | None = None

    def heading(self, context: TableContext) -> str:
        """Return what stands above it."""
        return self.title(context) if self.title is not None else self.name


def metric_that_matters(entries: Iterable[RunEntry]) -> str:
    """Return the metric whose best value tells runs apart: validation loss, or the loss where no run has that."""
    return VALIDATION_LOSS if any(VALIDATION_LOSS in entry.best for entry in entries) else "loss"


def duration_of(entry: RunEntry, now: float) -> float:
    """Return how long a run took, or has taken so far, in seconds."""
    return max(entry.seconds, now - entry.created) if entry.is_live and entry.created else entry.seconds


def _epoch(entry: RunEntry, context: TableContext) -> str:
    return f"{entry.epoch}/{entry.epochs}" if entry.epochs else str(entry.epoch or NO_VALUE)


def _best(entry: RunEntry, context: TableContext) -> str:
    best = entry.best.get(context.metric)
    return NO_VALUE if best is None else units.rounded(best.value)


def _at(entry: RunEntry, context: TableContext) -> str:
    best = entry.best.get(context.metric)
    return NO_VALUE if best is None else str(best.epoch)


def _trend(entry: RunEntry, context: TableContext) -> str:
    return sparkline(entry.trace.values, _TREND)


def _took(entry: RunEntry, context: TableContext) -> str:
    seconds = duration_of(entry, context.now)
    return units.duration(seconds) if seconds else NO_VALUE


def _started(entry: RunEntry, context: TableContext) -> str:
    if not entry.created:
        return NO_VALUE
    return f"{datetime.fromtimestamp(entry.created, UTC).astimezone():%Y-%m-%d %H:%M}"


def _last(name: str) -> Callable[[RunEntry, TableContext], str]:
    return lambda entry, context: units.rounded(entry.values.get(name))


COLUMNS: tuple[Column, ...] = (
    Column("run", lambda entry, context: printable(entry.name), 0, is_left=True, widest=48),
    Column("state", lambda entry, context: str(entry.state) if entry.is_read else "reading", 1, is_left=True),
    Column("epoch", _epoch, 3),
    Column("best", _best, 2, title=lambda context: f"best {context.metric}"),
    Column("at", _at, 4),
    *(Column(name, _last(name), rank) for name, rank in zip(_LAST, (12, 10, 13, 11), strict=True)),
    Column("trend", _trend, 7, is_left=True),
    Column("took", _took, 8),
    Column("started", _started, 9, is_left=True),
    Column("tags", lambda entry, context: printable(" ".join(entry.tags)), 6, is_left=True, widest=24),
    Column(
        "differs",
        lambda entry, context: printable(context.differences.text(entry) or entry.problem),
        5,
        is_left=True,
        widest=200,
    ),
)
"""In the order in which they stand."""

COLUMN_NAMES = tuple(column.name for column in COLUMNS)


def sorted_entries(entries: Iterable[RunEntry], by: str, context: TableContext) -> list[RunEntry]:
    """Return runs in the order of a column, a metric or an argument; those without a value come last.

    Best first where it is of a metric, newest first where it is of time, else rising.

    Args:
        entries: in any order.
        by: the name of a column, of a metric (its best value) or of an argument; `-` before it turns the order round.
        context: of the table.
    """
    is_turned, name = by.startswith("-"), by.removeprefix("-")
    falls = _falls(name, context) is not is_turned
    # Runs that are equal keep one order, whatever order they were read in.
    runs = sorted(entries, key=_name)
    keys = list(map(_key(name, context), runs))
    numbers = [index for index, key in enumerate(keys) if isinstance(key, float)]
    texts = [index for index, key in enumerate(keys) if isinstance(key, str)]
    without = [index for index, key in enumerate(keys) if key is None]
    for held in (numbers, texts):
        held.sort(key=keys.__getitem__, reverse=falls)  # type: ignore[arg-type]
    return [runs[index] for index in (*numbers, *texts, *without)]


def _name(entry: RunEntry) -> str:
    return entry.name


def _falls(name: str, context: TableContext) -> bool:
    metric = context.metric if name == "best" else name
    return name in ("started", "created", "took") or is_higher_better(metric)


_Key = float | str | None
"""What a run is sorted by; None where it has no such value."""


def _key(name: str, context: TableContext) -> Callable[[RunEntry], _Key]:
    """Return what gives each run its key; looked up once, as there may be thousands of runs."""
    if name in _KEYS:
        key = _KEYS[name]
        return lambda entry: key(entry, context) or None
    metric = context.metric
    if name == "best":
        return lambda entry: entry.best[metric].value if metric in entry.best else None
    if name == "at":
        return lambda entry: float(entry.best[metric].epoch) if metric in entry.best else None
    return lambda entry: _unless_nan(value_of(entry, name))


def _unless_nan(value: _Key) -> _Key:
    return None if isinstance(value, float) and math.isnan(value) else value


_KEYS: Mapping[str, Callable[[RunEntry, TableContext], _Key]] = {
    "run": lambda entry, context: entry.name.lower(),
    "name": lambda entry, context: entry.name.lower(),
    "took": lambda entry, context: duration_of(entry, context.now),
    "started": lambda entry, context: entry.created,
    "tags": lambda entry, context: " ".join(entry.tags).lower(),
    "differs": lambda entry, context: context.differences.text(entry).lower(),
    "trend": lambda entry, context: None,
}


def knows(name: str, entries: Iterable[RunEntry]) -> bool:
    """Return whether a name is that of a column, or a metric or argument that any run has."""
    plain = name.removeprefix("-")
    return plain in COLUMN_NAMES or plain == "name" or any(value_of(entry, plain) is not None for entry in entries)


def fitted(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int, measure: Callable[[str], int], gap: int = 2
) -> tuple[tuple[Column, int], ...]:
    """Return the columns that there is room for, in their order, each with its width.

    A column that is empty in every row is left out. The last ones to give way are the run's name and its state.

    Args:
        columns: wanted.
        cells: a row's cell for each column, headings among the rows, first.
        width: cells of the table.
        measure: returns how many cells a text takes.
        gap: cells between two columns.
    """
    widths = [min(column.widest, max(measure(row[i]) for row in cells)) for i, column in enumerate(columns)]
    is_empty = [not any(row[i].strip(f" {NO_VALUE}") for row in cells[1:]) for i in range(len(columns))]
    shown: dict[int, int] = {}
    room = width
    for i in sorted(range(len(columns)), key=lambda i: columns[i].rank):
        if is_empty[i] and columns[i].rank > 1:
            continue
        least = min(widths[i], 16 if columns[i].rank else 28) if columns[i].widest > 24 else widths[i]
        if least + (gap if shown else 0) <= room or not shown:
            shown[i] = min(least, width)
            room -= shown[i] + (gap if len(shown) > 1 else 0)
    for i in sorted(shown, key=lambda i: columns[i].rank):
        more = min(room, widths[i] - shown[i])
        shown[i] += max(0, more)
        room -= max(0, more)
    return tuple((columns[i], shown[i]) for i in sorted(shown))
