"""Faults are injected into real processes; nothing is lost, training goes on, and the table says so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.child import CHILD_FAULTS
from tests.faults.content import CONTENT_FAULTS
from tests.faults.screens import SCREEN_FAULTS
from tests.faults.table import Outcome

Fault = Callable[[Path], Outcome]


@pytest.mark.parametrize("fault", CHILD_FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_of_the_training_costs_nothing(fault: Fault, tmp_path: Path, report: Callable[[Outcome], None]) -> None:
    """Every record whose write had returned is read, and the training ends by itself."""
    outcome = fault(tmp_path)
    report(outcome)
    assert outcome.is_harmless


@pytest.mark.parametrize("fault", SCREEN_FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_of_the_screen_is_not_noticed(fault: Fault, tmp_path: Path, report: Callable[[Outcome], None]) -> None:
    """Training goes on, every record is read, and another screen shows the run as it is."""
    outcome = fault(tmp_path)
    report(outcome)
    assert outcome.is_harmless


@pytest.mark.parametrize("fault", CONTENT_FAULTS, ids=lambda fault: fault.__name__)
def test_hostile_content_is_shown_inert(fault: Fault, tmp_path: Path, report: Callable[[Outcome], None]) -> None:
    """What a script prints or names, and how many runs there are, harms neither the training nor the screen."""
    outcome = fault(tmp_path)
    report(outcome)
    assert outcome.is_harmless
