"""Starts the longest files first and keeps bytecode, and prints the table of faults when the tests are done."""

import os
import sys
from pathlib import Path

import pytest

from tests.faults.table import PROPERTY, Outcome, rows

_LONGEST = (
    "training/test_legacy_keras.py",
    "training/test_ways_to_train.py",
    "training/test_oracle.py",
    "cli/test_demo.py",
    "training/test_matrix.py",
    "training/test_training_is_untouched.py",
    "training/test_workers.py",
    "faults/test_faults.py",
    "training/test_unusual.py",
    "training/test_library.py",
    "unit/importers/test_real_logs.py",
    "app/test_keys.py",
    "test_contracts.py",
    "cli/test_control.py",
    "app/test_screen.py",
    "app/test_asking.py",
)
"""Files that take longest, in their order: begun last, one of them would keep a single process busy at the end."""


def pytest_configure() -> None:
    """Keep bytecode, which the many processes that tests start would compile again and again."""
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what became of each fault, as the tests reported it from whatever process they ran in."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    done = [report for report in reports if getattr(report, "when", "") == "call"]
    kept = [value for report in done for name, value in report.user_properties if name == PROPERTY]
    if kept:
        terminalreporter.section("faults")
        for row in rows(Outcome(*values) for values in kept):
            terminalreporter.write_line(row)
