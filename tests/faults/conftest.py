"""Sends what became of each fault to the process that prints the table, whichever process the test ran in."""

import dataclasses
from collections.abc import Callable

import pytest

from tests.faults.table import PROPERTY, Outcome


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[Outcome], None]:
    """Return a function that puts an outcome into the table."""
    return lambda outcome: record_property(PROPERTY, list(dataclasses.astuple(outcome)))
