"""All runs as the table needs them: found out once for the same runs, then put in any order.

Finding what differs among thousands of runs takes longest; a key that sorts puts what was found in another order, and
one that filters or moves needs no more than that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.view.runs.columns import TableContext, metric_that_matters, sorted_entries
from tui_monitor.view.runs.differences import Differences, differences
from tui_monitor.view.runs.query import read_query, searched_text
from tui_monitor.view.runs.table_state import TableState


@dataclass(frozen=True)
class FoundRuns:
    """What is the same in whatever order the runs stand."""

    source: Mapping[str, RunEntry] = field(default_factory=dict)
    """The runs by name, as they were given."""
    by_name: tuple[RunEntry, ...] = ()
    """In the order of their names."""
    live: frozenset[str] = frozenset()
    """Names of those that go on."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Name to the text in which words of a filter are looked for."""
    differences: Differences = field(default_factory=Differences)
    metrics: tuple[str, ...] = ()
    """Metrics that any of the runs has."""
    metric: str = ""
    """The one that matters."""


@dataclass(frozen=True)
class PreparedRuns:
    """All runs in order, with all that rows are made from."""

    entries: tuple[RunEntry, ...] = ()
    """Live ones first, each part in the order asked for."""
    found: FoundRuns = field(default_factory=FoundRuns)
    context: TableContext = field(default_factory=TableContext)
    sort: str = ""
    """The order asked for."""
    metric: str = ""
    """The metric asked for."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that any of the runs has."""
        return self.found.metrics


def prepare(
    entries: Mapping[str, RunEntry], state: TableState, now: float, before: PreparedRuns | None = None
) -> PreparedRuns:
    """Return runs in the order of a state.

    Args:
        entries: by name; the mapping is not to be changed afterwards.
        state: says the order and the metric.
        now: seconds since 1970-01-01 UTC.
        before: what was prepared of the same runs earlier: what did not change is taken from there.
    """
    found = _found(entries, before.found if before is not None else None)
    context = TableContext(state.metric or found.metric, found.differences, now)
    ordered = sorted_entries(found.by_name, state.sort, context)
    if found.live:
        ordered.sort(key=lambda entry: entry.name not in found.live)
    return PreparedRuns(tuple(ordered), found, context, state.sort, state.metric)


def _found(entries: Mapping[str, RunEntry], before: FoundRuns | None) -> FoundRuns:
    if before is not None and entries is before.source:
        return before
    known: Mapping[str, RunEntry] = before.source if before is not None else {}
    runs = sorted(entries.values(), key=lambda entry: entry.name)
    held: Mapping[str, str] = before.texts if before is not None else {}
    texts = {run.name: held[run.name] if known.get(run.name) is run else searched_text(run) for run in runs}
    is_same = before is not None and len(known) == len(runs) and all(_same_arguments(known, run) for run in runs)
    return FoundRuns(
        source=entries,
        by_name=tuple(runs),
        live=frozenset(run.name for run in runs if run.is_live),
        texts=texts,
        differences=before.differences if before is not None and is_same else differences(runs),
        metrics=tuple(dict.fromkeys(name for run in runs for name in run.best)),
        metric=metric_that_matters(runs),
    )


def _same_arguments(known: Mapping[str, RunEntry], run: RunEntry) -> bool:
    before = known.get(run.name)
    return before is run or (before is not None and before.arguments == run.arguments)


def kept(prepared: PreparedRuns, state: TableState) -> tuple[RunEntry, ...]:
    """Return the runs that fit the filter, in order; all of them while it can't be read."""
    query = read_query(state.filter)
    if not query.tests:
        return prepared.entries
    texts, entries = prepared.found.texts, prepared.entries
    for test in query.tests:
        # A test at a time, as there may be thousands of runs: the next one has those that are left.
        entries = tuple([entry for entry in entries if test(entry, texts[entry.name])])
    return entries
