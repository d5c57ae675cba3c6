"""What dashboards let one download: a file for each chart, put together as the runs they are of.

TensorBoard writes `run-train-tag-epoch_loss.csv` with `Wall time,Step,Value`, or the same as JSON; Weights & Biases a
column for each run, named `run - metric`, with its least and greatest value beside it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from tui_monitor.importers.logged_names import keras_name
from tui_monitor.importers.records import Ended, Record, Remark
from tui_monitor.importers.tables.header import number, split_cells
from tui_monitor.importers.tables.history import read_text
from tui_monitor.importers.tables.rows import fit_records
from tui_monitor.run_log.format.strict_json import number as json_number

_TENSORBOARD = ("wall time", "step", "value")
_SIDE = r"train(?:ing)?|val(?:id(?:ation)?)?|test|eval"
_TAGGED = re.compile(r"^(?:run[-_.])?(?P<run>.*?)[-_.]*tag[-_.](?P<tag>.+)$", re.IGNORECASE)
_SIDED = re.compile(rf"^(?:run[-_.])?(?P<run>.*?)(?:^|[-_.])(?P<side>{_SIDE})(?:[-_.](?P<tag>.+))?$", re.IGNORECASE)
_LAST_SIDE = re.compile(rf"^(?P<run>.*?)(?:^|[-_./])(?P<side>{_SIDE})$", re.IGNORECASE)
_WANDB = re.compile(r"^(?P<run>.+?) - (?P<tag>[^-].*?)(?P<part>__(?:MIN|MAX))?$")
_PER_BATCH = re.compile(r"^(?:batch_|evaluation_)|_vs_iterations$")
_COPY = re.compile(r"\s*\(\d+\)$")


@dataclass
class ChartRun:
    """One run, as far as charts show it."""

    steps: dict[int, dict[str, float]] = field(default_factory=dict)
    """Step to values by the names they are recorded under."""
    walls: dict[int, float] = field(default_factory=dict)
    """Step to the time of its newest value, in seconds since 1970."""
    left_out: set[str] = field(default_factory=set)
    """Charts that are of no epoch."""
    counts_epochs: bool = False
    """Whether the steps are said to be epochs."""
    unnamed: bool = False


def is_download(head: str) -> bool:
    """Return whether a text begins as a download of TensorBoard or of Weights & Biases."""
    first = head.lstrip("\ufeff").split("\n", 1)[0].strip()
    if tuple(cell.strip().lower() for cell in first.split(",")) == _TENSORBOARD:
        return True
    if first.startswith("[["):
        return bool(re.match(r"\[\[\s*\d{9,10}(?:\.\d+)?\s*,\s*\d+\s*,", first))
    return bool(_wandb_columns(split_cells(first, ",")))


def download_runs(paths: Sequence[Path]) -> dict[str, ChartRun]:
    """Return the runs that downloaded charts are of, by name, in the order of their files.

    Raises:
        OSError: a file can't be read.
    """
    runs: dict[str, ChartRun] = {}
    for path in sorted(paths):
        text = read_text(path)
        if text.lstrip().startswith("[["):
            _add_points(path, _points(text), runs)
            continue
        rows = [split_cells(line, ",") for line in text.splitlines()]
        header = [cell.strip() for cell in rows[0]] if rows else []
        if tuple(name.lower() for name in header) == _TENSORBOARD:
            triples = [tuple(map(number, row)) for row in rows[1:] if len(row) == 3]
            _add_points(path, triples, runs)
        else:
            _add_columns(header, rows[1:], runs)
    return runs


def download_records(paths: Sequence[Path], name: str) -> Iterator[Record]:
    """Yield what downloaded charts tell of one run.

    Args:
        paths: of the charts.
        name: of the run, as `download_runs` has it.

    Raises:
        OSError: a file can't be read.
    """
    run = download_runs(paths).get(name, ChartRun())
    steps = sorted(run.steps)
    gaps = {after - before for before, after in pairwise(steps)}
    counts = run.counts_epochs or gaps <= {1} or (bool(steps) and max(steps) < 2 * len(steps) + 2)
    if not counts:
        yield Remark("The charts count steps, not epochs: each point was taken for an epoch.", kind="note")
    if run.unnamed:
        yield Remark("A chart's file does not name its metric: called value.", kind="note")
    if run.left_out:
        yield Remark(f"Charts that are of no epoch were left out: {', '.join(sorted(run.left_out))}.", kind="note")
    begun = min(run.walls.values(), default=0.0)
    rows = [{"epoch": step if counts else index, **run.steps[step]} for index, step in enumerate(steps)]
    yield from fit_records(rows, at=[run.walls[step] - begun for step in steps if step in run.walls])
    yield Ended()


def _points(text: str) -> list[tuple[float | None, ...]]:
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [tuple(map(json_number, row)) for row in content if isinstance(row, list) and len(row) == 3]


def _add_points(path: Path, points: Sequence[tuple[float | None, ...]], runs: dict[str, ChartRun]) -> None:
    """Add one chart of TensorBoard's, whose file name alone says what it shows."""
    run_name, name, is_named = _told_by_name(_COPY.sub("", path.stem))
    run = runs.setdefault(run_name, ChartRun())
    tag = name.removeprefix("val_")
    if _PER_BATCH.search(tag):
        run.left_out.add(path.name)
        return
    run.unnamed |= not is_named
    run.counts_epochs |= "epoch_" in path.stem
    for wall, step, value in points:
        if step is None or value is None or step != int(step) or step < 0:
            continue
        run.steps.setdefault(int(step), {})[name] = value
        if wall is not None:
            run.walls[int(step)] = max(run.walls.get(int(step), 0.0), wall)


def _told_by_name(stem: str) -> tuple[str, str, bool]:
    """Return the run, the metric's name in Keras' manner, and whether the file names a metric."""
    tagged = _TAGGED.match(stem)
    if tagged is not None:
        sided = _LAST_SIDE.match(tagged["run"])
        run, side, tag = (sided["run"], sided["side"], tagged["tag"]) if sided else (tagged["run"], "", tagged["tag"])
    else:
        sided = _SIDED.match(stem)
        run, side, tag = (sided["run"], sided["side"], sided["tag"] or "") if sided else ("", "", stem)
    tag = tag.removeprefix("epoch_")
    name = keras_name(tag or "value")
    if side and not name.startswith(("val_", "test_")):
        name = keras_name(f"{side}/{name}")
    return run.strip("-_. "), name, bool(tag)


def _wandb_columns(header: Sequence[str]) -> dict[int, re.Match[str]]:
    found = {index: column for index, name in enumerate(header) if (column := _WANDB.match(name.strip()))}
    return found if found and len(found) == len(header) - 1 and 0 not in found else {}


def _add_columns(header: Sequence[str], rows: Sequence[Sequence[str]], runs: dict[str, ChartRun]) -> None:
    columns = {index: found for index, found in _wandb_columns(header).items() if not found["part"]}
    counts_epochs = bool(header) and keras_name(header[0].rsplit("/", 1)[-1]).lower() == "epoch"
    for index, found in columns.items():
        run = runs.setdefault(found["run"], ChartRun())
        run.counts_epochs |= counts_epochs
        name = keras_name(found["tag"])
        if _PER_BATCH.search(name):
            run.left_out.add(found["tag"])
            continue
        for row in rows:
            step = number(row[0]) if len(row) > index else None
            value = number(row[index]) if len(row) > index and row[index].strip() else None
            if step is not None and value is not None and step == int(step) and step >= 0:
                run.steps.setdefault(int(step), {})[name] = value


def named_runs(runs: Mapping[str, ChartRun]) -> list[str]:
    """Return the names of those runs that hold values."""
    return [name for name, run in runs.items() if run.steps]
