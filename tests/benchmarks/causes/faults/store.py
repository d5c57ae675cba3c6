"""The cache of trained runs: what was measured of each, so that a run is trained once and scored as often as wanted."""

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.causes.faults.plans import CONTROLS, FAULTS, Fault
from tui_monitor.explain.measure import explain_probe
from tui_monitor.run_log.events.explanation import Explanation

METRICS = ("loss", "accuracy")


@dataclass(frozen=True)
class Plan:
    """One run."""

    name: str
    family: str
    strength: int
    seed: int
    fault: Fault
    control: bool

    @property
    def key(self) -> str:
        """The run's name in the cache."""
        return f"{self.name}/{self.family}/{self.strength}/{self.seed}"


def plans(families: tuple[str, ...], seeds: int, controls: int) -> list[Plan]:
    """Return the runs, a seed at a time with its part of the controls, so that a part of them says something of all.

    Args:
        families: of models; each fault is planted in each.
        seeds: of each fault in each family and strength.
        controls: runs with nothing planted.
    """
    planned = []
    for seed in range(seeds):
        planned += [
            Plan(name, family, strength, seed, fault, False)
            for family in families
            for name, strengths in FAULTS.items()
            for strength, fault in enumerate(strengths)
        ]
        for number in range(controls)[seed::seeds]:
            name = list(CONTROLS)[number % len(CONTROLS)]
            family = families[number // len(CONTROLS) % len(families)]
            planned.append(Plan(name, family, 0, 100 + number, CONTROLS[name], True))
    return planned


@dataclass(frozen=True)
class Measured:
    """What `explain_probe` was given at the end of the last epoch."""

    values: tuple[Any, ...]
    options: Mapping[str, Any]

    def explanation(self) -> Explanation:
        """Return what today's arithmetic makes of it."""
        return explain_probe(*self.values, **self.options)


@dataclass(frozen=True)
class Outcome:
    """What the cache holds of one run."""

    measured: Measured
    truth: Mapping[str, Mapping[str, float]]
    """True effect of each cause by its JSON name, of each metric; empty where nothing of it is known."""


class Store:
    """A folder with one file for each run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __contains__(self, plan: Plan) -> bool:
        return self._file(plan).exists()

    def add(self, plan: Plan, outcome: Outcome) -> None:
        """Write one run, whole or not at all."""
        file = self._file(plan)
        beside = file.with_suffix(".part")
        beside.write_bytes(pickle.dumps(outcome))
        beside.replace(file)

    def get(self, plan: Plan) -> Outcome:
        """Return one run.

        Raises:
            FileNotFoundError: it was not trained yet.
        """
        outcome: Outcome = pickle.loads(self._file(plan).read_bytes())
        return outcome

    def _file(self, plan: Plan) -> Path:
        return self._folder / (hashlib.sha256(plan.key.encode()).hexdigest()[:16] + ".pickle")
