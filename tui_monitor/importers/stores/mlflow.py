"""Runs in an MLflow file store: one folder a run, one plain text file a metric and a parameter."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tui_monitor.importers.logged_names import matched_names
from tui_monitor.importers.records import Ended, EpochBegan, EpochEnded, FitBegan, Record, Remark
from tui_monitor.run_log.format.layout import State

_META = "meta.yaml"
_METRICS = "metrics"
_PARAMETERS = "params"
_LONGEST_PARAMETER = 2**12
_STATUS = re.compile(r"^status:\s*['\"]?(\w+)", re.MULTILINE)
_STATES = {
    **dict.fromkeys(("1", "RUNNING", "2", "SCHEDULED"), State.STOPPED),
    **dict.fromkeys(("4", "FAILED"), State.FAILED),
    **dict.fromkeys(("5", "KILLED"), State.STOPPED),
}


def mlflow_runs(folder: Path) -> list[Path]:
    """Return the run folders of a project, a store, an experiment or a run, in the order of their names."""
    levels = ("*", "*/*", "mlruns/*/*", "*/mlruns/*/*")
    candidates = dict.fromkeys((folder, *(path for level in levels for path in sorted(folder.glob(level)))))
    return [path for path in candidates if (path / _META).is_file() and (path / _METRICS).is_dir()]


def mlflow_records(folder: Path) -> Iterator[Record]:
    """Yield what one run's folder tells; its steps become epochs.

    Raises:
        OSError: a file can't be read.
    """
    steps: dict[int, dict[str, float]] = {}
    times: dict[int, float] = {}
    damaged, unnumbered = 0, []
    root = folder / _METRICS
    for path in sorted(file for file in root.rglob("*") if file.is_file()):
        name = path.relative_to(root).as_posix()
        read = [_row(line) for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        rows = [row for row in read if row is not None]
        damaged += len(read) - len(rows)
        if len(rows) > 1 and not any(step for _, _, step in rows):
            unnumbered.append(name)
            rows = [(milliseconds, value, position) for position, (milliseconds, value, _) in enumerate(rows)]
        for milliseconds, value, step in rows:
            steps.setdefault(step, {})[name] = value
            times[step] = max(times.get(step, 0.0), milliseconds / 1000)
    yield from _epochs(steps, times)
    if damaged:
        yield Remark(f"{damaged} lines of metric files hold no value: left out.")
    if unnumbered:
        yield Remark(f"Logged without steps, and counted: {', '.join(unnumbered)}.", kind="note")
    yield _ended(folder)


def mlflow_parameters(folder: Path) -> dict[str, str]:
    """Return what a run logged as parameters, names and values; those that can't be read are left out."""
    root = folder / _PARAMETERS
    found: dict[str, str] = {}
    for path in sorted(file for file in root.rglob("*") if file.is_file()):
        with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
            found[path.relative_to(root).as_posix()] = file.read(_LONGEST_PARAMETER).strip()
    return found


def _epochs(steps: dict[int, dict[str, float]], times: dict[int, float]) -> Iterator[Record]:
    offset = 1 - min(min(steps, default=1), 1)
    names = matched_names(sorted({name for logs in steps.values() for name in logs}))
    begun = min(times.values(), default=0.0)
    for index, step in enumerate(sorted(steps)):
        if not index:
            yield FitBegan(initial_epoch=step + offset - 1)
        yield EpochBegan(step + offset)
        logs = {names[name]: value for name, value in steps[step].items()}
        yield EpochEnded(step + offset, logs, at=times[step] - begun)


def _row(line: str) -> tuple[float, float, int] | None:
    try:
        milliseconds, value, *step = line.split()
        return float(milliseconds), float(value), int(step[0]) if step else 0
    except (IndexError, ValueError):
        return None


def _ended(folder: Path) -> Ended:
    found = _STATUS.search((folder / _META).read_text(encoding="utf-8", errors="replace"))
    word = found[1] if found else ""
    state = _STATES.get(word, State.FINISHED)
    return Ended(state, "MLflow calls it running." if word in ("1", "RUNNING") else "")
