"""Tables of figures, one row an epoch: `CSVLogger` files, Lightning's `metrics.csv`, and this program's own export."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from tui_monitor.importers.logged_names import matched_names
from tui_monitor.importers.records import Ended, EpochBegan, EpochEnded, PhaseBegan, Record, Remark

DELIMITERS = (",", ";", "\t")
_EPOCH = "epoch"
_ABSENT = ("", "NA", "None", "null")
_ROW_NUMBER = ("step",)


@dataclass
class _Table:
    """All that is remembered between two lines; figures as written, so that it can be kept beside the run."""

    header: list[str] = field(default_factory=list)
    delimiter: str = ","
    has_carriage_returns: bool = False
    """Whether lines end as `CSVLogger` ends them."""
    first: int | None = None
    """Added to the numbers of the file to count from 1; None before the first row tells."""
    last: int = 0
    """Epoch, from 1, of the row before; 0 at a phase's beginning."""
    phases: int = 0
    sparse: dict[str, str] = field(default_factory=dict)
    """Lightning: cells of the epoch under way, which has a row for each kind of figure."""
    bad_rows: int = 0
    first_bad: int | None = None
    unnamed_cells: int = 0
    words: int = 0
    lines: int = 0


def split_header(line: str) -> tuple[list[str], str] | None:
    """Return a table's column names and its delimiter, or None where a line is no header of one with epochs."""
    for delimiter in DELIMITERS:
        names = _cells(line, delimiter)
        if len(names) > 1 and _EPOCH in names and not any(map(_is_number, names)):
            return names, delimiter
    return None


class CsvTable:
    """Reads the lines of one table; a header in the middle begins an appended run."""

    is_terminal = False

    def __init__(self, saved: Mapping[str, Any] | None = None) -> None:
        """Begin with the first line, or where another one left off.

        Args:
            saved: what `save` returned.
        """
        self._state = msgspec.convert(saved, _Table) if saved else _Table()

    def save(self) -> dict[str, Any]:
        """Return the state after the last line, as plain JSON types."""
        return asdict(self._state)

    def line(self, text: str) -> Iterator[Record]:
        """Yield what a line completes."""
        state = self._state
        state.lines += 1
        state.has_carriage_returns |= text.endswith("\r")
        text = text.removesuffix("\r")
        if not text.strip():
            return
        header = split_header(text)
        if header is not None:
            yield from self._finish_sparse()
            if header[0] != state.header:
                state.header, state.delimiter = header
            return
        cells = _cells(text, state.delimiter)
        if not self._is_row(cells):
            state.bad_rows += 1
            state.first_bad = state.first_bad or state.lines
            return
        yield from self._add_row(cells)

    def close(self, rest: str) -> Iterator[Record]:
        """Yield what the end of the table completes."""
        state = self._state
        if rest:
            cells = _cells(rest, state.delimiter)
            if len(cells) == len(state.header) and self._is_row(cells):
                yield Remark("The last row has no line end: its last figure may be cut.")
                yield from self.line(rest)
            else:
                yield Remark(f"The last row breaks off and was left out: {rest[:60]}")
        yield from self._finish_sparse()
        if state.bad_rows:
            yield Remark(f"{state.bad_rows} lines are no rows of the table, first line {state.first_bad}: left out.")
        if state.unnamed_cells:
            yield Remark(f"{state.unnamed_cells} cells have no heading: left out.")
        if state.words:
            yield Remark(f"{state.words} cells hold words instead of figures: left out.")
        yield Ended()

    @property
    def _is_lightning(self) -> bool:
        return "step" in self._state.header

    def _is_row(self, cells: Sequence[str]) -> bool:
        if not self._state.header:
            return False
        place = self._state.header.index(_EPOCH)
        return len(cells) > max(place, 1) and _whole(cells[place]) is not None

    def _add_row(self, cells: Sequence[str]) -> Iterator[Record]:
        state = self._state
        place = state.header.index(_EPOCH)
        printed = _whole(cells[place]) or 0
        if state.first is None:
            # `CSVLogger` counts from 0; what begins later, after a restart, shows it by its line ends alone.
            state.first = int(printed == 0 or self._is_lightning or (printed > 1 and state.has_carriage_returns))
            if printed > 1 and not self._is_lightning:
                yield Remark(f"The first row is epoch {printed}, taken for epoch {printed + state.first}.", kind="note")
        elif printed == 0:
            state.first = 1
        epoch = max(printed + state.first, 1)
        named = {
            name: cell
            for index, (name, cell) in enumerate(zip(state.header, cells, strict=False))
            if index != place and cell.strip() not in _ABSENT
        }
        state.unnamed_cells += max(len(cells) - len(state.header), 0)
        if self._is_lightning:
            yield from self._add_sparse(epoch, named)
        else:
            yield from self._add_epoch(epoch, named)

    def _add_sparse(self, epoch: int, named: Mapping[str, str]) -> Iterator[Record]:
        state = self._state
        if epoch != state.last:
            yield from self._finish_sparse()
            yield from self._begin(epoch)
        state.sparse.update((name, cell) for name, cell in named.items() if name not in _ROW_NUMBER)
        state.last = epoch

    def _finish_sparse(self) -> Iterator[Record]:
        state = self._state
        sparse, state.sparse = state.sparse, {}
        if sparse:
            names = matched_names(sparse)
            yield EpochEnded(state.last, self._figures({names[name]: cell for name, cell in sparse.items()}))

    def _add_epoch(self, epoch: int, named: Mapping[str, str]) -> Iterator[Record]:
        yield from self._begin(epoch)
        self._state.last = epoch
        yield EpochEnded(epoch, self._figures(named))

    def _begin(self, epoch: int) -> Iterator[Record]:
        state = self._state
        if not state.phases or epoch <= state.last:
            if 1 < epoch <= state.last:
                yield Remark(f"Epoch {epoch} comes again: the training was set back.", epoch=epoch)
            state.phases += 1
            yield PhaseBegan(initial_epoch=epoch - 1)
        yield EpochBegan(epoch)

    def _figures(self, named: Mapping[str, str]) -> dict[str, float]:
        figures = {}
        for name, cell in named.items():
            try:
                figures[name] = float(cell)
            except ValueError:
                self._state.words += 1
        return figures


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _whole(cell: str) -> int | None:
    """Return a cell's whole number: some tools write `3.0`."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return int(number) if 0 <= number < 2**31 and number == int(number) else None
