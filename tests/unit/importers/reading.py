"""Ways to read a log in a test: as records, or as the run that it becomes."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from tui_monitor.history.load import load
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.importers.importing import import_path
from tui_monitor.importers.line_importer import LineParser
from tui_monitor.importers.records import EpochEnded, Record
from tui_monitor.importers.text.lines import TextLines
from tui_monitor.importers.text.progress_log import ProgressLog

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def records_of(
    content: bytes, parser: LineParser | None = None, cuts: Sequence[int] = (), *, is_closed: bool = True
) -> list[Record]:
    """Return what a log tells when its bytes arrive in pieces, with or without its end."""
    parser = parser or ProgressLog()
    text = TextLines(is_terminal=parser.is_terminal)
    records: list[Record] = []
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    for start, stop in pairwise(edges):
        for line in text.feed(content[start:stop]):
            records.extend(parser.line(line.text))
    if is_closed:
        *ended, rest = ["", *(line.text for line in text.close())]
        for line_text in ended[1:]:
            records.extend(parser.line(line_text))
        records.extend(parser.close(rest))
    return records


def epochs_of(records: Sequence[Record]) -> list[tuple[int, dict[str, float]]]:
    """Return the epochs among records with their values."""
    return [(record.epoch, dict(record.logs)) for record in records if isinstance(record, EpochEnded)]


def epochs_in(text: str | bytes) -> list[tuple[int, dict[str, float]]]:
    """Return the epochs of a progress text with their values."""
    return epochs_of(records_of(text.encode() if isinstance(text, str) else text))


def imported(path: Path, runs: Path) -> Snapshot:
    """Import the one run that a path holds, and return it as a screen would have it."""
    (folder,) = import_path(path, runs, NOW)
    return load(folder)


def logged_epochs(snapshot: Snapshot) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield every finished epoch of a run with its values."""
    for fit in snapshot.fits:
        for row in fit.epochs:
            yield row.epoch, dict(row.metrics)


def alerts(snapshot: Snapshot) -> list[str]:
    """Return the sentences on damage."""
    return [entry.text for entry in snapshot.timeline if entry.kind == "alert" and not entry.alert]
