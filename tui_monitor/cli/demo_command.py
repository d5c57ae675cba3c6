"""`demo`: starts a scenario's training in its own process and watches it."""

import importlib.util
import sys
import textwrap
from datetime import UTC, datetime

from tui_monitor.cli.watch_command import watch
from tui_monitor.demo import DEFAULT, SCENARIOS, scenario_named
from tui_monitor.errors import DependencyMissing
from tui_monitor.launch import TrainingProcess
from tui_monitor.run_log.runs.folders import create_run_folder, runs_folder


def list_scenarios() -> int:
    """Print every scenario with its description and return the exit code."""
    for scenario in SCENARIOS.values():
        mark = " (default)" if scenario.name == DEFAULT else ""
        sys.stdout.write(f"{scenario.name}{mark}\n")
        sys.stdout.write(textwrap.indent(textwrap.fill(scenario.description, 76), "    ") + "\n")
    return 0


def run_demo(
    scenario: str | None,
    *,
    epochs: int,
    seed: int,
    name: str | None,
    runs: str | None,
    probe_budget: float,
    probe_seconds: float,
    headless: bool,
) -> int:
    """Start a demo training, watch it, and return the exit code.

    Raises:
        UsageError: there is no such scenario.
        DependencyMissing: TensorFlow is not installed.
        FolderNotWritable: the runs folder can't be written to.
    """
    chosen = scenario_named(scenario or DEFAULT)
    if importlib.util.find_spec("tensorflow") is None:
        raise DependencyMissing(
            "The demo trains a model and needs TensorFlow, which is not installed. "
            "Install it with: pip install 'tui-monitor[tensorflow]'"
        )
    folder = create_run_folder(runs_folder(runs), name, f"demo-{chosen.name}", datetime.now(UTC).astimezone())
    job = {
        "demo": {"scenario": chosen.name, "seed": seed, "epochs": epochs},
        "probe_budget": probe_budget,
        "probe_seconds": probe_seconds,
        "command": ["tui-monitor", *sys.argv[1:]],
    }
    return watch(folder, TrainingProcess(folder, job), headless=headless)
