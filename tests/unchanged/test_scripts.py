"""Scripts whose output must be the same bare and recorded, each a kind of state that recording could disturb."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unchanged.pairs import SCRIPTS

HELD = sorted(SCRIPTS.glob("*.py"))


@pytest.fixture(scope="module")
def printed() -> dict[str, list[dict[str, list[str]]]]:
    """Return what the scripts print, from one process for the bare and one for the recorded ones."""
    command = [sys.executable, "-m", "tests.unchanged.pairs", "--together", "--json", *map(str, HELD)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root, env={**os.environ})
    both: dict[str, list[dict[str, list[str]]]] = json.loads(done.stdout.splitlines()[-1])
    return both


@pytest.mark.parametrize("name", [script.stem for script in HELD])
def test_a_script_prints_the_same_recorded(name: str, printed: dict[str, list[dict[str, list[str]]]]) -> None:
    """Values, weights, random numbers, traces, errors and names are the same to the last digit."""
    bare, recorded = printed[name]
    assert recorded["lines"] == bare["lines"]
    assert bare["lines"][-1] == "ends" or len(bare["lines"]) > 1
