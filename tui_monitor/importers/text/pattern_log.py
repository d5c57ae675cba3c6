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
from tui_monitor.importers.records import Ended, EpochBegan, EpochEnded, FitBegan, Record, Remark

_VALUE = r"[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+|nan|inf(?:inity)?)"
_EPOCH = "epoch"
_HELP = "such as 'epoch {epoch} loss {loss} val {val_loss}'"
_NUMBER = re.compile(rf"(?<![\w.])({_VALUE})(?![\w.]|\.\d)", re.IGNORECASE)
_UNTYPED = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
_WORD = re.compile(r"[A-Za-z_][\w.]*")


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
            found = pattern.search(text, evaluate_result=True)
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
        return parse.compile(_UNTYPED.sub(r"{\1:number}", pattern), _TYPES)
    except (ValueError, re.error, NotImplementedError, KeyError, IndexError) as error:
        raise UsageError(
            f"--pattern {pattern!r} can't be read: {error}. Name each metric in braces, {_HELP}."
        ) from error


def _as_value(value: Any) -> float | None:
    found = re.fullmatch(_VALUE, str(value).strip().rstrip(",;)]%|"), re.IGNORECASE)
    return float(found[0]) if found else None


def suggested_pattern(line: str) -> str:
    """Return a pattern that reads a line, with each number named by the words before it, or nothing."""
    pattern, position, names = "", 0, set()
    for found in _NUMBER.finditer(line):
        before = line[position : found.start()]
        words = [word.lower().replace(".", "_") for word in _WORD.findall(before)][-2:]
        if not words and not position:
            # A number that a line begins with counts epochs, or what comes nearest to them.
            words = [_EPOCH]
        name = "_".join(words) if words and words[-1] in ("loss", "acc", "accuracy", "error") else "".join(words[-1:])
        pattern += before.replace("{", "{{").replace("}", "}}")
        is_named = bool(name) and name not in names and name.isidentifier()
        pattern += f"{{{name}:float}}" if is_named else "{}"
        names.add(name)
        position = found.end()
    if _EPOCH not in names or not any("loss" in name or "acc" in name for name in names):
        return ""
    try:
        return pattern if parse.compile(pattern, _TYPES).search(line) else ""
    except (ValueError, re.error, NotImplementedError, KeyError):
        return ""
