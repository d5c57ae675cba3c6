"""The cache of trained runs: a line of JSON for each, and what was probed beside it; a run is trained once."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.causes.recipes import CAUSES, CONTROLS, Recipe
from tui_monitor.explain.samples.probes import Averaging, PerSampleMetric, TrainingProbe, ValidationProbe, Weighting

SEEDS = range(5)
STRENGTHS = (0, 1)
CONTROL_SEEDS = {"healthy": 20, "healthy, small validation": 5}
"""Seeds of each control."""
_NAMES = {"averaging": Averaging, "weighting": Weighting, "accuracy_weighting": Weighting}


@dataclass(frozen=True)
class Plan:
    """One run to train."""

    name: str
    """Of the recipe."""
    family: str
    strength: int
    seed: int
    control: bool
    recipe: Recipe

    @property
    def key(self) -> str:
        """The run's name in the cache; another recipe is another run."""
        written = hashlib.sha256(repr(self.recipe).encode()).hexdigest()[:8]
        return f"{self.name}/{self.family}/{self.strength}/{self.seed}/{written}"


def plans(families: tuple[str, ...], seeds: int = len(SEEDS)) -> list[Plan]:
    """Return the runs of the benchmark, a seed at a time, so that a part of them says something of all.

    Args:
        families: of models.
        seeds: how many of all seeds.
    """
    planned = []
    for seed in SEEDS[:seeds]:
        planned += [
            Plan(name, family, strength, seed, False, recipe(strength))
            for name, recipe in CAUSES.items()
            for family in families
            for strength in STRENGTHS
        ]
        for name, recipe in CONTROLS.items():
            # Other seeds than the causes' own: a control shares its data with none of them.
            own = range(100, 100 + CONTROL_SEEDS[name])[seed :: len(SEEDS)]
            planned += [Plan(name, family, 0, number, True, recipe) for number in own for family in families]
    return planned


@dataclass(frozen=True)
class Stored:
    """What the cache holds of one run."""

    history: Mapping[str, list[float]]
    truth: Mapping[str, Mapping[str, float]]
    noise: Mapping[str, float]
    probe: TrainingProbe
    validation: ValidationProbe


class Store:
    """A folder with `runs.jsonl` and one file of arrays for each run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "arrays").mkdir(parents=True, exist_ok=True)
        self._lines = folder / "runs.jsonl"
        self._known = {line["key"]: line for line in self._read()}

    def _read(self) -> list[dict[str, Any]]:
        if not self._lines.exists():
            return []
        lines = self._lines.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def __contains__(self, plan: Plan) -> bool:
        return plan.key in self._known

    def add(self, plan: Plan, stored: Stored) -> None:
        """Write one run; it counts once its line is whole."""
        arrays: dict[str, Any] = {}
        content = {
            "key": plan.key,
            "history": stored.history,
            "truth": stored.truth,
            "noise": stored.noise,
            "probe": _packed(stored.probe, "train", arrays),
            "validation": _packed(stored.validation, "validation", arrays),
        }
        np.savez_compressed(self._arrays(plan), **arrays)
        with self._lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(content) + "\n")
        self._known[plan.key] = content

    def get(self, plan: Plan) -> Stored:
        """Return one run.

        Raises:
            KeyError: it was not trained yet.
        """
        content = self._known[plan.key]
        with np.load(self._arrays(plan)) as arrays:
            loaded = {name: arrays[name] for name in arrays.files}
        return Stored(
            content["history"],
            content["truth"],
            content["noise"],
            _unpacked(TrainingProbe, content["probe"], "train", loaded),
            _unpacked(ValidationProbe, content["validation"], "validation", loaded),
        )

    def _arrays(self, plan: Plan) -> Path:
        return self._folder / "arrays" / (hashlib.sha256(plan.key.encode()).hexdigest()[:16] + ".npz")


def _packed(value: Any, name: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """Return a dataclass as JSON, its arrays put aside; values come out of float32 and lose nothing there."""
    content: dict[str, Any] = {}
    for field in fields(value):
        entry, path = getattr(value, field.name), f"{name}.{field.name}"
        if isinstance(entry, PerSampleMetric):
            content[field.name] = _packed(entry, path, arrays)
        elif isinstance(entry, np.ndarray):
            arrays[path] = entry.astype(np.float32 if entry.dtype.kind == "f" else np.int32)
        else:
            content[field.name] = entry
    return content


def _unpacked(kind: type[Any], content: Mapping[str, Any], name: str, arrays: Mapping[str, Any]) -> Any:
    values: dict[str, Any] = {}
    for field in fields(kind):
        path = f"{name}.{field.name}"
        entry = content.get(field.name)
        if path in arrays:
            array = arrays[path]
            entry = array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
        elif isinstance(entry, dict):
            entry = _unpacked(PerSampleMetric, entry, path, arrays)
        elif field.name in _NAMES:
            entry = _NAMES[field.name](content[field.name])
        values[field.name] = entry
    return kind(**values)
