"""Rows of named values become the epochs of one fit, whatever they count: epochs, parts of epochs, or nothing."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tui_monitor.importers.logged_names import keras_name, matched_names
from tui_monitor.importers.records import EpochBegan, EpochEnded, FitBegan, Record, Remark
from tui_monitor.importers.tables.step_rows import EpochReadings
from tui_monitor.run_log.format.strict_json import number

Row = Mapping[str, Any]
_EPOCHS = ("epoch", "epochs", "epoch_number", "epoch_num")
_COUNTERS = ("step", "_step", "global_step", "iteration", "iter", "_runtime", "_timestamp", "timestamp", "fit")
_SIDES = ("mode", "phase", "split", "stage", "set", "subset")
_RATES = ("learning_rate", "lr")
_NEARLY_WHOLE = 0.02
"""Part of an epoch that its last row may lack where the last batch is dropped."""


def fit_records(
    rows: Sequence[Row], *, is_over: bool = True, has_rate: bool = False, at: Sequence[float] = ()
) -> Iterator[Record]:
    """Yield the records of one fit.

    Args:
        rows: name to value; what is no number is left out, but for the side that a row is of.
        is_over: whether the last epoch has ended, whatever its rows say.
        has_rate: whether the learning rate is logged beside the values, and is none of them.
        at: seconds since the run began for each row, or nothing.
    """
    fit = _Fit(rows, is_over=is_over, has_rate=has_rate, at=at)
    yield from fit.records()


class _Fit:
    """Where the records of one fit have come to."""

    def __init__(self, rows: Sequence[Row], *, is_over: bool, has_rate: bool, at: Sequence[float]) -> None:
        self._rows, self._is_over, self._has_rate, self._at = rows, is_over, has_rate, at
        names = list(dict.fromkeys(str(name) for row in rows for name in row))
        lowered = {name: keras_name(name).lower() for name in names}
        self._epoch = next((name for wanted in _EPOCHS for name in names if lowered[name] == wanted), None)
        self._has_steps = any(lowered[name] in _COUNTERS[:5] for name in names)
        self._side = next(
            (name for name in names if lowered[name] in _SIDES and any(isinstance(row.get(name), str) for row in rows)),
            None,
        )
        left = (self._epoch, self._side)
        self._names = matched_names(
            name for name in names if name not in left and lowered[name] not in _COUNTERS and not name.startswith("_")
        )
        printed = [value for row in rows if (value := self._printed(row)) is not None]
        self._has_parts = any(value != int(value) for value in printed)
        self._offset = int(bool(printed) and min(printed) == 0 and not self._has_parts)
        self._last = self._fits = self._left_out = self._test_rows = 0
        self._means: dict[str, int] = {}
        self._before: tuple[tuple[str, ...], int] = ((), 0)
        """Values of the epoch before, and the fewest readings that any of them had."""

    def records(self) -> Iterator[Record]:
        """Yield them."""
        readings, epoch, rate, seconds, reached = EpochReadings(), 0, None, None, 0.0
        for index, row in enumerate(self._rows):
            printed = self._printed(row) if self._epoch is not None else float(index + 1)
            if printed is None or printed + self._offset <= 0:
                self._left_out += 1
                continue
            number_of = math.ceil(printed) + self._offset if self._has_parts else int(printed) + self._offset
            metrics, row_rate = self._metrics(row)
            has_steps = self._has_steps or self._has_parts
            if epoch and not (number_of == epoch and (has_steps or not readings.holds_any(metrics))):
                yield from self._end(epoch, readings, rate, seconds)
                readings, rate = EpochReadings(), None
            epoch, reached = number_of, printed
            rate = row_rate if row_rate is not None else rate
            seconds = self._at[index] if index < len(self._at) else None
            (readings.add_own if self._has_parts and printed == int(printed) else readings.add)(metrics)
        is_torn = self._has_parts and not self._is_over and epoch - reached > _NEARLY_WHOLE
        lost = readings.breaks_off(*self._before) if self._has_steps and not self._has_parts and self._before[0] else ""
        if epoch and (is_torn or (lost and not readings.is_test)):
            yield Remark(f"Epoch {epoch} does not end in the log{': ' if lost else ''}{lost}.", epoch=epoch)
        elif epoch:
            yield from self._end(epoch, readings, rate, seconds)
        yield from self._remarks()

    def _printed(self, row: Row) -> float | None:
        value = number(row.get(self._epoch)) if self._epoch is not None else None
        return value if value is not None and math.isfinite(value) and 0 <= value < 2**31 else None

    def _metrics(self, row: Row) -> tuple[dict[str, float], float | None]:
        side = row.get(self._side) if self._side is not None else None
        metrics, rate = {}, None
        for name, value in row.items():
            amount, spelt = number(value), self._names.get(str(name))
            if amount is None or spelt is None:
                continue
            if self._has_rate and spelt in _RATES:
                rate = amount
                continue
            metrics[keras_name(f"{side}_{spelt}") if isinstance(side, str) else spelt] = amount
        return metrics, rate

    def _end(self, epoch: int, readings: EpochReadings, rate: float | None, seconds: float | None) -> Iterator[Record]:
        if readings.is_test:
            self._test_rows += 1
            return
        logs, means = readings.metrics()
        for name in means:
            self._means[name] = self._means.get(name, 0) + 1
        if not self._fits or epoch <= self._last:
            if 1 < epoch <= self._last:
                yield Remark(f"Epoch {epoch} comes again: the training was set back.", epoch=epoch)
            self._fits += 1
            yield FitBegan(initial_epoch=epoch - 1)
        self._last, self._before = epoch, (tuple(logs), readings.fewest)
        yield EpochBegan(epoch)
        yield EpochEnded(epoch, logs, learning_rate=rate, at=seconds)

    def _remarks(self) -> Iterator[Record]:
        if self._left_out:
            yield Remark(f"{self._left_out} entries have no usable epoch number: left out.")
        if self._epoch is None and self._has_steps:
            yield Remark("Nothing counts epochs: each row was taken for one.", kind="note")
        for name, epochs in self._means.items():
            text = f"{name} is not logged for an epoch as a whole: the mean of its readings was taken, {epochs} times."
            yield Remark(text, kind="note")
        if self._test_rows:
            yield Remark(f"{self._test_rows} rows hold metrics of a test set alone: no epochs, left out.", kind="note")
