"""What a run was started with, as names and values: the same argument has the same name in every run of a script."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from pathlib import PurePath
from typing import Any

from tui_monitor.run_log.format.layout import RunInfo

_PROGRAM = "tui-monitor"
_WITHOUT_VALUE = frozenset({"--headless", "--low-bandwidth", "--quiet"})
_OF_THE_SCREEN = frozenset({"name", "runs", "fps", "theme", "headless", "low-bandwidth", "quiet"})
_NUMBER = re.compile(r"-\.?\d")
_ASSIGNED = re.compile(r"([A-Za-z_][\w.\-/]*)=(.*)", re.DOTALL)
_PRESENT = "yes"
_OF_THE_MODEL = ("optimizer", "learning_rate", "loss", "parameters")


def script_of(command: Sequence[str]) -> str:
    """Return what a command line trains: a script's or module's name, or `demo`; empty for none.

    Of an imported log it is the folder in which the log lies.
    """
    return _parted(command)[0]


def arguments_of(info: RunInfo) -> dict[str, str]:
    """Return the arguments of a run's script, of its newest call of `fit`, and of its model, as texts.

    An argument of `fit` or of the model that has the name of one of the script's and another value is told apart by
    `fit(…)` or `model(…)`.

    Args:
        info: identity of the run.
    """
    return script_and_arguments(info)[1]


def script_and_arguments(info: RunInfo) -> tuple[str, dict[str, str]]:
    """Return what a run trains, as `script_of`, and its arguments, as `arguments_of`: the command is parted once."""
    script, words = _parted(info.command)
    found = dict(_named(words))
    if info.fits:
        newest = info.fits[-1]
        _add(found, "fit", newest.fit)
        _add(found, "model", {name: newest.model.get(name) for name in _OF_THE_MODEL})
    return script, found


def varying(arguments: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the names whose values are not the same everywhere; of two that always have the same value, the first.

    Args:
        arguments: of each run, names and values.
    """
    if len(arguments) < 2:
        return ()
    names = dict.fromkeys(name for given in arguments for name in given)
    first = arguments[0]
    chosen: dict[tuple[str | float | None, ...], str] = {}
    for name in names:
        value = first.get(name)
        if any(given.get(name) != value for given in arguments):
            chosen.setdefault(tuple(_plain(given.get(name)) for given in arguments), name)
    return tuple(chosen.values())


@lru_cache(maxsize=256)
def _last_part(path: str) -> str:
    """Return the last name in a path; thousands of runs have the same few."""
    return PurePath(path).name


def _parted(command: Sequence[str]) -> tuple[str, list[str]]:
    """Return what is trained, and the arguments that are its own."""
    words = list(command)
    if not words:
        return "", []
    if _last_part(words[0]) != _PROGRAM:
        return _last_part(words[0]), words[1:]
    match words[1:]:
        case ["run", *rest]:
            return _of_run(rest)
        case ["demo", *rest]:
            named = _named(["--scenario", *rest] if rest and not rest[0].startswith("-") else rest)
            return "demo", [f"--{name}={value}" for name, value in named if name not in _OF_THE_SCREEN]
        case ["import", source]:
            # Logs that lie beside each other, such as a tuner's trials, are of one training.
            return PurePath(source).parent.name or "import", []
        case rest:
            return " ".join(rest[:1]), []


def _of_run(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the script of `tui-monitor run` and its arguments: what stands before it is the program's."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("-m", "--"):
            return (_last_part(rest[0]), rest[1:]) if rest else ("", [])
        if not word.startswith("-"):
            return _last_part(word), rest
        if "=" not in word and word not in _WITHOUT_VALUE and rest:
            rest.pop(0)
    return "", []


def _named(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield names and values: `--lr 0.1`, `--lr=0.1`, `lr=0.1`, `-b 32`, a flag alone, and what has no name."""
    rest, numbers = list(words), count(1)
    while rest:
        word = rest.pop(0)
        is_option = word.startswith("-") and len(word) > 1 and not _NUMBER.match(word)
        assigned = _ASSIGNED.fullmatch(word.lstrip("-"))
        if assigned is not None:
            yield assigned[1], assigned[2]
        elif not is_option:
            yield f"argument {next(numbers)}", word
        elif rest and (not rest[0].startswith("-") or _NUMBER.match(rest[0])) and not _ASSIGNED.fullmatch(rest[0]):
            yield word.lstrip("-"), rest.pop(0)
        else:
            yield word.lstrip("-"), _PRESENT


def _add(found: dict[str, str], of: str, more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if value is None:
            continue
        written = _written(value)
        if not _same(found.get(name, written), written):
            found[f"{of}({name})"] = written
        else:
            found.setdefault(name, written)


def _same(one: str, other: str) -> bool:
    try:
        return one == other or float(one) == float(other)
    except ValueError:
        return False


def _written(value: Any) -> str:
    if type(value) is str:
        return value
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_written(entry)}" for key, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_written, value))
    return str(value)


def _plain(value: str | None) -> str | float | None:
    """Return a number where a text is one: `0.10` and `1e-1` are the same."""
    try:
        return value if value is None else float(value)
    except ValueError:
        return value
