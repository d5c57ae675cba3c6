"""Collects what became of each fault, and prints the table when the tests are done."""

from collections.abc import Callable

import pytest

from tests.faults.table import Outcome, rows

_outcomes: list[Outcome] = []


@pytest.fixture
def report() -> Callable[[Outcome], None]:
    """Return a function that puts an outcome into the table."""
    return _outcomes.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if _outcomes:
        terminalreporter.section("faults")
        for row in rows(_outcomes):
            terminalreporter.write_line(row)
