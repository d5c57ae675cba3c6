"""Prints the table of faults when the tests are done."""

import pytest

from tests.faults.table import PROPERTY, Outcome, rows


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what became of each fault, as the tests reported it from whatever process they ran in."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    done = [report for report in reports if getattr(report, "when", "") == "call"]
    kept = [value for report in done for name, value in report.user_properties if name == PROPERTY]
    if kept:
        terminalreporter.section("faults")
        for row in rows(Outcome(*values) for values in kept):
            terminalreporter.write_line(row)
