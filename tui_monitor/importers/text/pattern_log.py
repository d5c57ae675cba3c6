"""Any regular text, read by a pattern of the user's: `epoch {epoch} loss {loss} val {val_loss}`.

The patterns are those of the `parse` package, which is Python's own format language backwards.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
import parse

from tui_monitor.errors import UsageError
from tui_monitor.importers.logged_names import side_prefix
from tui_monitor.importers.records import Ended, EpochBegan, EpochEnded, FitBegan, Record, Remark

_VALUE = r"[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+|nan|inf(?:inity)?)"
_EPOCH = "epoch"
_HELP = "such as 'epoch {epoch} loss {loss} val {val_loss}'"
_NUMBER = re.compile(rf"(?<![\w.])({_VALUE})(?![\d_.]|\.\d)", re.IGNORECASE)
_UNTYPED = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
_NAMING = re.compile(r"(?:(?P<before>[A-Za-z]+)(?:[ _-]|\. ))?(?P<name>[A-Za-z][\w.]*)\W*$")
_COUNTED = ("epoch", "step", "iter", "iteration", "batch")
_FEW = 3
"""Lines from which on a pattern must find several epochs."""


def _value(text: str) -> float:
    return float(text)


_value.pattern = _VALUE  # type: ignore[attr-defined]
_TYPES = dict.fromkeys(("float", "int", "number"), _value)


@dataclass
class _Pattern:
    """All that is remembered between two lines."""

    epoch: int = 0
    """Epoch under way, from 1; 0 before the first."""
    last: int = 0
    first: int | None = None
    """Added to the numbers of the text to count from 1."""
    metrics: dict[str, float] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    """Values of the epoch before."""
    phases: int = 0
    epochs: int = 0
    matched: int = 0
    repeated: int = 0
    unread: int = 0
    counted: int = 0
    """Epochs counted where the text does not number them."""


class PatternLog:
    """Reads the lines that match one of several patterns; an epoch may be told by several lines."""

    is_terminal = True

    def __init__(self, patterns: Sequence[str], saved: Mapping[str, Any] | None = None) -> None:
        """Begin with the first line, or where another one left off.

        Args:
            patterns: in the language of `parse`; fields are metrics, or `epoch`.
            saved: what `save` returned.

        Raises:
            UsageError: a pattern can't be read.
        """
        self._patterns = [_compiled(pattern) for pattern in patterns]
        self._numbers_epochs = any(_EPOCH in pattern.named_fields for pattern in self._patterns)
        self._state = msgspec.convert(saved, _Pattern) if saved else _Pattern()

    def save(self) -> dict[str, Any]:
        """Return the state after the last line, as plain JSON types."""
        return asdict(self._state)

    def line(self, text: str) -> Iterator[Record]:
        """Yield what a line completes."""
        for pattern in self._patterns:
            found = pattern.search(_spaced(text), evaluate_result=True)
            if found is not None:
                self._state.matched += 1
                yield from self._take(found.named)
                return

    def close(self, rest: str) -> Iterator[Record]:
        """Yield what the end of the text completes."""
        if rest:
            yield from self.line(rest)
        state = self._state
        lost = [name for name in state.names if name not in state.metrics]
        if state.epoch and lost and state.epochs:
            yield Remark(
                f"Epoch {state.epoch} does not end in the log: it has no {', '.join(lost)}.", epoch=state.epoch
            )
        else:
            yield from self._finish()
        if not state.matched:
            yield Remark("No line matches the pattern.")
        if state.repeated:
            yield Remark(f"{state.repeated} values came again within their epoch: the last ones count.", kind="note")
        if state.unread:
            yield Remark(f"{state.unread} fields hold no number: left out.")
        if state.counted:
            yield Remark(f"The pattern has no {{epoch}}: {state.counted} epochs were counted.", kind="note")
        yield Ended()

    def _take(self, fields: Mapping[str, Any]) -> Iterator[Record]:
        state = self._state
        metrics = {}
        for name, value in fields.items():
            found = value if isinstance(value, int | float) else _as_value(value)
            if found is None:
                state.unread += 1
            else:
                metrics[name] = float(found)
        printed = metrics.pop(_EPOCH, None)
        if printed is not None and printed == int(printed) and 0 <= printed < 2**31:
            yield from self._number(int(printed))
        elif not self._numbers_epochs and (not state.epoch or any(name in state.metrics for name in metrics)):
            yield from self._finish()
            state.epoch = state.last + 1
            state.counted += 1
        if not state.epoch:
            return
        state.repeated += sum(name in state.metrics for name in metrics)
        state.metrics.update(metrics)

    def _number(self, printed: int) -> Iterator[Record]:
        state = self._state
        if state.first is None or (printed == 0 and state.epoch):
            state.first = int(printed == 0) if state.first is None else max(state.first, int(printed == 0))
        epoch = printed + state.first
        if epoch != state.epoch:
            yield from self._finish()
            state.epoch = epoch

    def _finish(self) -> Iterator[Record]:
        state = self._state
        epoch, state.epoch = state.epoch, 0
        metrics, state.metrics = state.metrics, {}
        if not epoch or not metrics:
            return
        if not state.phases or epoch <= state.last:
            state.phases += 1
            yield FitBegan(initial_epoch=epoch - 1)
        state.last, state.names = epoch, list(metrics)
        state.epochs += 1
        yield EpochBegan(epoch)
        yield EpochEnded(epoch, metrics)


def check_patterns(patterns: Sequence[str]) -> None:
    """Check patterns before anything is read.

    Raises:
        UsageError: one can't be read, or names no metric.
    """
    compiled = [_compiled(pattern) for pattern in patterns]
    if compiled and not any(set(pattern.named_fields) - {_EPOCH} for pattern in compiled):
        raise UsageError(f"--pattern {patterns[0]!r} names no metric. Name each in braces, {_HELP}.")


def _compiled(pattern: str) -> parse.Parser:
    try:
        # A field without a type would take as little as it can, which cuts the last value of a line.
        return parse.compile(_UNTYPED.sub(r"{\1:number}", _spaced(pattern.replace(r"\t", " "))), _TYPES)
    except (ValueError, re.error, NotImplementedError, KeyError, IndexError) as error:
        raise UsageError(
            f"--pattern {pattern!r} can't be read: {error}. Name each metric in braces, {_HELP}."
        ) from error


def _spaced(text: str) -> str:
    """Return a text in which any blanks are one: a terminal shows a tab as several."""
    return re.sub(r"\s+", " ", text)


def _as_value(value: Any) -> float | None:
    found = re.fullmatch(_VALUE, str(value).strip().rstrip(",;)]%|"), re.IGNORECASE)
    return float(found[0]) if found else None


def suggested_pattern(line: str, lines: Sequence[str]) -> str:
    """Return a pattern that reads a log's epochs, or nothing.

    Args:
        line: one of those that tell values; each number of it is named by the words before it.
        lines: all that are to be read, this one among them.
    """
    candidates = (_pattern_of(line, numbers_epochs=is_numbered) for is_numbered in (True, False))
    return next((pattern for pattern in candidates if pattern and _reads(pattern, lines)), "")


def _pattern_of(line: str, *, numbers_epochs: bool) -> str:
    pattern, position, names = "", 0, set()
    for found in _NUMBER.finditer(line):
        before = line[position : found.start()]
        # A number that a line begins with may count epochs; one with a unit behind it is no metric.
        begins = numbers_epochs and not any(map(str.isalpha, line[: found.start()]))
        has_unit = line[found.end() :][:1].isalpha()
        name = "" if has_unit else _EPOCH if begins else _name_before(before)
        name = f"train_{name}" if name in names and "train" in before.lower() else name
        pattern += _spaced(before).replace("{", "{{").replace("}", "}}")
        is_named = name.isidentifier() and name not in names and (numbers_epochs or name != _EPOCH)
        pattern += f"{{{name}:float}}" if is_named else "{}"
        names.add(name)
        position = found.end()
    is_counted = _EPOCH in names or not numbers_epochs
    return pattern if is_counted and any("loss" in name or "acc" in name for name in names) else ""


def _name_before(text: str) -> str:
    found = _NAMING.search(text)
    if found is None:
        return ""
    before, name = (found["before"] or "").lower(), found["name"].lower().replace(".", "_")
    side = side_prefix(before)
    if side is None:
        is_told_apart = before and name in ("loss", "acc", "accuracy", "error") and before not in _COUNTED
        side = f"{before}_" if is_told_apart else ""
    return name if name.startswith(side) else side + name


def _reads(pattern: str, lines: Sequence[str]) -> bool:
    """Return whether a pattern finds an epoch on each line it matches, and one after the other."""
    try:
        log = PatternLog((pattern,))
    except UsageError:
        return False
    records = [record for line in lines for record in log.line(line)] + list(log.close(""))
    epochs = sum(isinstance(record, EpochEnded) for record in records)
    return sum(isinstance(record, FitBegan) for record in records) == 1 and (epochs > 1 or len(lines) < _FEW)
