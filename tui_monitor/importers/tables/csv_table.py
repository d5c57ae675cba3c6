"""Tables of metrics, read line by line: `CSVLogger`, pandas, Lightning, Ultralytics, fastai, and our own export.

A row is an epoch, unless the table counts steps or several rows name one epoch: then `step_rows` makes one of them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from tui_monitor.importers.logged_names import keras_name
from tui_monitor.importers.records import Ended, EpochBegan, EpochEnded, FitBegan, Record, Remark
from tui_monitor.importers.tables.header import ABSENT, Heading, is_number, number, read_heading, split_cells
from tui_monitor.importers.tables.step_rows import EpochReadings
from tui_monitor.importers.text.places import without_colours

_RULE = re.compile(r"[\s|:+=-]*-[\s|:+=-]*")
_MOST_EPOCHS = 2**31


@dataclass
class _Table:
    """All that is remembered between two lines; values as written, so that it can be kept beside the run."""

    heading: str = ""
    """The line that names the columns; empty before it."""
    has_carriage_returns: bool = False
    """Whether lines end as `CSVLogger` ends them."""
    first: int | None = None
    """Added to the numbers of the file to count from 1; None before the first row tells."""
    last: int = 0
    """Epoch, from 1, of the row before; 0 at a fit's beginning."""
    rows: int = 0
    """Rows of the fit, where nothing else counts."""
    phases: int = 0
    epoch: int = 0
    """Epoch of the readings held; 0 where none are."""
    readings: EpochReadings = field(default_factory=EpochReadings)
    names: list[str] = field(default_factory=list)
    """Values of the epoch before."""
    readings_before: int = 0
    """The fewest readings that any of them had."""
    has_steps: bool = False
    """Whether epochs have several rows."""
    bad_rows: int = 0
    first_bad: int | None = None
    unnamed_cells: int = 0
    words: dict[str, int] = field(default_factory=dict)
    """Columns to the number of their cells that hold words."""
    commas: int = 0
    means: dict[str, int] = field(default_factory=dict)
    """Values to the number of epochs for which the mean of several readings was taken."""
    test_rows: int = 0
    lines: int = 0
    epochs: int = 0


class CsvTable:
    """Reads the lines of one table; a header in the middle begins an appended run."""

    is_terminal = False

    def __init__(self, saved: Mapping[str, Any] | None = None) -> None:
        """Begin with the first line, or where another one left off.

        Args:
            saved: what `save` returned.
        """
        self._state = msgspec.convert(saved, _Table) if saved else _Table()
        self._heading = read_heading(self._state.heading) if self._state.heading else None

    def save(self) -> dict[str, Any]:
        """Return the state after the last line, as plain JSON types."""
        return asdict(self._state)

    @property
    def holds_rows(self) -> bool:
        """Whether a row of values has been read."""
        return bool(self._state.epochs or self._state.readings)

    def line(self, text: str) -> Iterator[Record]:
        """Yield what a line completes."""
        state = self._state
        state.lines += 1
        state.has_carriage_returns |= text.endswith("\r")
        text = without_colours(text.removesuffix("\r"))
        if not text.strip() or (not text[-1].isalnum() and _RULE.fullmatch(text)):
            return
        cells = self._row(text)
        if cells is not None:
            yield from self._add_row(cells)
            return
        heading = read_heading(text)
        if heading is None:
            state.bad_rows += 1
            state.first_bad = state.first_bad or state.lines
            return
        yield from self._finish_epoch()
        if heading.counter is None:
            state.rows, state.last = 0, 0
        if state.heading and self._counts_otherwise(heading):
            state.first = None
        state.heading, self._heading = text, heading
        if heading.taken_for_validation:
            names = ", ".join(heading.taken_for_validation)
            yield Remark(f"{names}: taken for validation's, beside losses of training and validation.", kind="note")

    def close(self, rest: str) -> Iterator[Record]:
        """Yield what the end of the table completes."""
        if rest:
            cells = self._row(rest.removesuffix("\r"))
            if cells is not None and self._heading is not None and len(cells) >= len(self._heading.names):
                yield Remark("The last row has no line end: its last value may be cut.")
                yield from self.line(rest)
            elif rest.strip():
                yield Remark(f"The last row breaks off and was left out: {rest[:60]}")
        state = self._state
        has_steps = self._heading is not None and self._heading.step is not None
        lost = state.readings.breaks_off(state.names, state.readings_before) if has_steps and state.names else ""
        if lost and not state.readings.is_test:
            yield Remark(f"Epoch {state.epoch} does not end in the log: {lost}.", epoch=state.epoch)
        else:
            yield from self._finish_epoch()
        yield from self._remarks()
        yield Ended()

    def _counts_otherwise(self, heading: Heading) -> bool:
        held = self._heading
        return held is None or (held.epoch is None) != (heading.epoch is None)

    def _row(self, text: str) -> Sequence[str] | None:
        """Return the cells of a row, or None where a line is none of this table's."""
        heading = self._heading
        if heading is None:
            return None
        cells = split_cells(text, heading.delimiter)
        if heading.index == -1:
            cells = cells[1:] if len(cells) == len(heading.names) + 1 else cells
        counter = heading.counter
        if counter is not None and counter >= 0:
            if len(cells) <= max(counter, 1):
                return None
            is_row = _epoch_number(cells[counter]) is not None or (heading.step is not None and not cells[counter])
            return cells if is_row else None
        return cells if len(cells) >= min(2, len(heading.names)) and any(map(is_number, cells)) else None

    def _add_row(self, cells: Sequence[str]) -> Iterator[Record]:
        state, heading = self._state, self._heading
        if heading is None:
            return
        state.unnamed_cells += max(len(cells) - len(heading.names), 0)
        metrics = self._metrics(heading, cells)
        printed = self._printed(heading, cells)
        epoch = state.epoch or max(state.last, 1)
        if printed is not None:
            if state.first is None or not printed:
                yield from self._set_first(heading, printed, cells)
            # An epoch and a half is a step of the second epoch: it ends with the whole number behind it.
            whole = int(printed) + (printed != int(printed))
            epoch = max(whole + (state.first or 0), 1)
        has_steps = heading.step is not None
        is_same = epoch == state.epoch and (has_steps or not state.readings.holds_any(metrics))
        if state.epoch and not is_same:
            yield from self._finish_epoch()
        if metrics or not has_steps:
            state.epoch = epoch
            is_own = heading.step is not None and printed is not None and state.has_steps and printed == int(printed)
            (state.readings.add_own if is_own else state.readings.add)(metrics)

    def _printed(self, heading: Heading, cells: Sequence[str]) -> float | None:
        """Return the number that a row gives to its epoch; None where it is of the epoch under way."""
        counter = heading.counter
        if counter is None or counter < 0:
            self._state.rows += 1
            return float(self._state.rows)
        printed = _epoch_number(cells[counter])
        if printed is not None and printed != int(printed):
            self._state.has_steps = True
        return printed

    def _set_first(self, heading: Heading, printed: float, cells: Sequence[str]) -> Iterator[Record]:
        state = self._state
        if heading.counter is None or heading.counter < 0:
            if state.first is None:
                yield Remark("No column counts epochs: rows were counted.", kind="note")
            state.first = 0
        elif heading.epoch is None:
            if state.first is None:
                yield Remark("No column is called epoch: row numbers were taken for it.", kind="note")
                state.first = int(printed != 1)
        elif state.first is None:
            # `CSVLogger` counts from 0; what begins later, after a restart, shows it by its line ends alone.
            is_lightning = heading.step is not None and printed > 1 and "." not in cells[heading.counter]
            state.first = int(printed == 0 or is_lightning or (printed > 1 and state.has_carriage_returns))
            if printed != int(printed):
                state.first = 0
            elif printed > 1 and not is_lightning:
                text = f"The first row is epoch {printed:.0f}, taken for epoch {printed + state.first:.0f}."
                yield Remark(text, kind="note")
        elif printed == 0:
            state.first = 1

    def _finish_epoch(self) -> Iterator[Record]:
        state = self._state
        epoch, state.epoch = state.epoch, 0
        if not epoch:
            return
        readings, state.readings = state.readings, EpochReadings()
        if readings.is_test:
            state.test_rows += 1
            return
        logs, means = readings.metrics()
        for name in means:
            state.means[name] = state.means.get(name, 0) + 1
        if not state.phases or epoch <= state.last:
            if 1 < epoch <= state.last:
                yield Remark(f"Epoch {epoch} comes again: the training was set back.", epoch=epoch)
            state.phases += 1
            yield FitBegan(initial_epoch=epoch - 1)
        state.last = epoch
        state.names, state.readings_before = list(logs), readings.fewest
        state.epochs += bool(logs)
        yield EpochBegan(epoch)
        yield EpochEnded(epoch, logs)

    def _metrics(self, heading: Heading, cells: Sequence[str]) -> dict[str, float]:
        state = self._state
        side = cells[heading.side] if heading.side is not None and heading.side < len(cells) else ""
        metrics = {}
        for name, cell in zip(heading.names, cells, strict=False):
            if not name or not cell:
                continue
            value = _plain_number(cell)
            if value is None:
                value = number(cell)
                if value is None:
                    if cell.lower() not in ABSENT:
                        state.words[name] = state.words.get(name, 0) + 1
                    continue
                state.commas += 1
            metrics[keras_name(f"{side}_{name}") if side else name] = value
        return metrics

    def _remarks(self) -> Iterator[Record]:
        state = self._state
        if state.bad_rows:
            yield Remark(f"{state.bad_rows} lines are no rows of the table, first line {state.first_bad}: left out.")
        if state.unnamed_cells:
            yield Remark(f"{state.unnamed_cells} cells have no heading: left out.")
        if state.words:
            names = ", ".join(list(state.words)[:5])
            yield Remark(f"{sum(state.words.values())} cells hold words instead of values ({names}): left out.")
        if state.commas:
            yield Remark(f"{state.commas} values are written with a decimal comma: read as such.", kind="note")
        for name, epochs in state.means.items():
            text = f"{name} is not logged for an epoch as a whole: the mean of its readings was taken, {epochs} times."
            yield Remark(text, kind="note")
        if state.test_rows:
            yield Remark(f"{state.test_rows} rows hold metrics of a test set alone: no epochs, left out.", kind="note")


def _epoch_number(cell: str) -> float | None:
    """Return a cell's number of epochs: some tools write `3.0`, and `2.5` within the third."""
    value = _plain_number(cell)
    return value if value is not None and 0 <= value < _MOST_EPOCHS else None


def _plain_number(cell: str) -> float | None:
    try:
        return float(cell) if "_" not in cell else None
    except ValueError:
        return None
