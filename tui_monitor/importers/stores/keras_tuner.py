"""Trials of Keras Tuner: a `trial.json` each, with its hyper-parameters and the values of the epochs it reported."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tui_monitor.importers.records import Ended, Record, Remark
from tui_monitor.importers.tables.rows import fit_records
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.format.strict_json import number

TRIAL_FILE = "trial.json"
_STATES = {"RUNNING": State.STOPPED, "INVALID": State.FAILED, "FAILED": State.FAILED, "STOPPED": State.STOPPED}
_BOOKKEEPING = ("tuner/trial_id", "tuner/bracket", "tuner/round")
"""What Hyperband keeps among the values to find its way; `tuner/epochs` says how long a trial was trained."""


def tuner_trials(folder: Path) -> list[Path]:
    """Return the trial folders below one, in the order of their names."""
    found = [folder / TRIAL_FILE, *folder.glob(f"*/{TRIAL_FILE}"), *folder.glob(f"*/*/{TRIAL_FILE}")]
    return sorted(path.parent for path in found if path.is_file() and _metrics(path))


def tuner_records(folder: Path) -> Iterator[Record]:
    """Yield what one trial tells; a step is an epoch, as the tuner counts them from 0.

    Raises:
        OSError: the trial can't be read.
    """
    content = _content(folder / TRIAL_FILE)
    steps: dict[int, dict[str, float]] = {}
    several = 0
    for name, held in _metrics(folder / TRIAL_FILE).items():
        for observation in held.get("observations") or []:
            values = [found for value in observation.get("value") or [] if (found := number(value)) is not None]
            step = number(observation.get("step"))
            if values and step is not None:
                several += len(values) > 1
                steps.setdefault(int(step), {})[name] = sum(values) / len(values) if len(values) > 1 else values[0]
    if several:
        yield Remark(f"{several} values are of several executions of a trial: their mean was taken.", kind="note")
    yield from fit_records([{"epoch": step + 1, **steps[step]} for step in sorted(steps)])
    yield Ended(_STATES.get(str(content.get("status")), State.FINISHED))


def tuner_parameters(folder: Path) -> dict[str, Any]:
    """Return the hyper-parameters of one trial, names and values; none where the file can't be read."""
    held = _content(folder / TRIAL_FILE).get("hyperparameters")
    values = held.get("values") if isinstance(held, Mapping) else None
    if not isinstance(values, Mapping):
        return {}
    return {name: value for name, value in values.items() if name not in _BOOKKEEPING}


def _content(path: Path) -> Mapping[str, Any]:
    try:
        content: Any = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, Mapping) else {}


def _metrics(path: Path) -> Mapping[str, Any]:
    held = _content(path).get("metrics")
    metrics = held.get("metrics") if isinstance(held, Mapping) else None
    if not isinstance(metrics, Mapping):
        return {}
    return {name: value for name, value in metrics.items() if isinstance(value, Mapping) and value.get("observations")}
