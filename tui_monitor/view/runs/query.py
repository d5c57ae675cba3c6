"""A filter as it is typed: words that must all hold for a run to stay in the table."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.entry import RunEntry

_WORD = re.compile(r'"([^"]*)"?|(\S+)')
_COMPARISON = re.compile(r"([^\s<>=!:]+)(<=|>=|!=|<|>|=)(.+)", re.DOTALL)
_FIELD = re.compile(r"(state|tag|script|name|host):(.*)", re.DOTALL | re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|min|h|d)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_LAST = "last."
_LIVE, _ENDED = "live", "ended"

Test = Callable[[RunEntry, str], bool]
"""Takes a run and the text in which words are looked for."""


@dataclass(frozen=True)
class Query:
    """A filter that was read."""

    text: str = ""
    tests: tuple[Test, ...] = ()
    complaint: str = ""
    """What is wrong with it, in a sentence; empty when nothing is. It then leaves every run in."""
    names: tuple[str, ...] = ()
    """Names that it compares."""

    def keeps(self, entry: RunEntry, text: str | None = None) -> bool:
        """Return whether a run stays.

        Args:
            entry: of the run.
            text: its `searched_text`, where that is at hand.
        """
        if not self.tests:
            return True
        if text is None:
            text = searched_text(entry)
        return all(test(entry, text) for test in self.tests)


def read_query(text: str) -> Query:
    """Return a filter of words parted by blanks; quotes keep a blank inside a word.

    * `val_loss<0.4` compares the best value of a metric, `last.val_loss<0.4` its last one, `lr=0.1` an argument,
      `epoch>5`, `took<10min` and `started>2026-11-01` what the table shows;
    * `state:live`, `state:failed`, `tag:baseline`, `script:train.py`, `name:…`, `host:…` look at one thing;
    * anything else is a regular expression that the run's name, script, arguments, tags, state or host contains, in
      any case; one that can't be read as such is looked for as it is;
    * `-` before a word turns it round.
    """
    tests: list[Test] = []
    names: list[str] = []
    for quoted, bare in _WORD.findall(text):
        is_turned = not quoted and bare.startswith("-") and len(bare) > 1
        word = quoted or bare.removeprefix("-" if is_turned else "")
        found = _test(word, names) if not quoted else _text_test(quoted)
        if isinstance(found, str):
            return Query(text, complaint=found)
        tests.append(_turned(found) if is_turned else found)
    return Query(text, tuple(tests), names=tuple(names))


def _test(word: str, names: list[str]) -> Test | str:
    """Return what a word tests, or what is wrong with it."""
    comparison = _COMPARISON.fullmatch(word)
    if comparison is not None and not word.startswith("("):
        names.append(comparison[1].removeprefix(_LAST))
        return _comparison_test(comparison[1], comparison[2], comparison[3])
    match = _FIELD.fullmatch(word)
    return _field_test(match[1].lower(), match[2]) if match is not None else _text_test(word)


def _field_test(name: str, wanted: str) -> Test | str:
    low = wanted.lower()
    match name:
        case "state" if low in (_LIVE, _ENDED):
            return lambda entry, text: entry.is_live is (low == _LIVE)
        case "state":
            states = {state for state in State if low and state.value.startswith(low)}
            known = ", ".join([_LIVE, _ENDED, *State])
            return (
                (lambda entry, text: entry.state in states) if states else f"No state {wanted!r}: name one of {known}."
            )
        case "tag":
            return lambda entry, text: any(tag.lower().startswith(low) for tag in entry.tags)
        case "script":
            return lambda entry, text: low in entry.script.lower()
        case "host":
            return lambda entry, text: low in entry.host.lower()
        case _:
            return lambda entry, text: low in entry.name.lower()


def _comparison_test(name: str, sign: str, wanted: str) -> Test:
    holds = _OPERATORS[sign]
    limit = _amount(wanted)

    def test(entry: RunEntry, text: str) -> bool:
        value = value_of(entry, name)
        if isinstance(value, float) and limit is not None:
            return not math.isnan(value) and holds(value, limit)
        if value is None:
            return False
        if sign in ("=", "!="):
            return (str(value).lower() == wanted.lower()) is (sign == "=")
        return False

    return test


def value_of(entry: RunEntry, name: str) -> float | str | None:
    """Return what a name stands for in a run: a metric's best value, an argument, or a column's; None for nothing.

    Args:
        entry: of the run.
        name: as in a filter, or of a column.
    """
    if name.startswith(_LAST):
        return entry.values.get(name.removeprefix(_LAST))
    if name in entry.best:
        return entry.best[name].value
    if name in entry.arguments:
        text = entry.arguments[name]
        number = _amount(text)
        return text if number is None else number
    return _COLUMNS[name](entry) if name in _COLUMNS else entry.values.get(name)


_COLUMNS: Mapping[str, Callable[[RunEntry], float | str]] = {
    "epoch": lambda entry: float(entry.epoch),
    "took": lambda entry: entry.seconds,
    "started": lambda entry: entry.created,
    "fit": lambda entry: float(entry.fit),
    "state": lambda entry: str(entry.state),
}
"""What a column has for a filter or an order."""


def _amount(text: str) -> float | None:
    """Return a number, a duration in seconds, or a day in seconds since 1970; None for anything else."""
    try:
        return float(text)
    except ValueError:
        pass
    duration = _DURATION.fullmatch(text)
    if duration is not None:
        return float(duration[1]) * _SECONDS[duration[2]]
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _text_test(word: str) -> Test:
    try:
        pattern = re.compile(word, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError):
        pattern = re.compile(re.escape(word), re.IGNORECASE)
    return lambda entry, text: pattern.search(text) is not None


def searched_text(entry: RunEntry) -> str:
    """Return all of a run in which words are looked for."""
    arguments = " ".join(f"{name}={value}" for name, value in entry.arguments.items())
    return f"{entry.name} {entry.script} {arguments} {' '.join(entry.tags)} {entry.state} {entry.host}"


def _turned(test: Test) -> Test:
    return lambda entry, text: not test(entry, text)
