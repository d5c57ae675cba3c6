"""A script under `tui-monitor run` sees, prints and returns what it would under `python`."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command, environment
from tui_monitor.history.load import load
from tui_monitor.run_log.format.layout import State

_SEES = """
import inspect, os, sys
os.chdir("/")
first = open(__file__).readline()
print(first, __file__, inspect.getsource(sys.modules["__main__"])[:9], sorted(globals()), __loader__.path)
print(ascii(sys.argv), ascii(sys.orig_argv[1:]), sys.path[:2], sys.path[-1], __annotations__, __spec__, __package__)
x: int = 3
print(__annotations__, sys.flags.safe_path, {"keras", "numpy", "tensorflow", "textual"} & set(sys.modules))
"""
_SAYS_NOTHING = """
class Odd(Exception):
    def __str__(self):
        raise KeyError("no text")
raise Odd
"""
_NOT_UTF8 = 'raise ValueError("a file named \\udcff")'
_HOOK_FAILS = """
import sys
def hook(*error):
    try:
        error[3]
    except IndexError:
        raise KeyError("in the hook")
sys.excepthook = hook
raise ValueError("of the script")
"""
_HOOK_EXITS = """
import sys
sys.excepthook = lambda *error: sys.exit(7)
raise ValueError("of the script")
"""
_NOWHERE_TO_PRINT = "import sys\nsys.stderr = None\nraise ValueError('of the script')"
_NO_HOOK = "import sys\ndel sys.excepthook\nraise ValueError('of the script')"
_FROZEN = """
from dataclasses import dataclass
@dataclass(frozen=True)
class FrozenError(Exception):
    code: int
raise FrozenError(3)
"""
_EXITS_SILENTLY = "import sys\nsys.stderr = None\nsys.exit('of the script')"
_RUNS_EXIT_FUNCTIONS = "import atexit\natexit._run_exitfuncs()\nraise ValueError('of the script')"


@pytest.mark.parametrize(
    ("script", "changes", "detail"),
    [
        pytest.param(_SEES, {}, "", id="sees"),
        pytest.param(_SEES, {"PYTHONSAFEPATH": "1"}, "", id="safe-path"),
        pytest.param(_SAYS_NOTHING, {}, "Odd", id="says-nothing"),
        pytest.param(_NOT_UTF8, {}, "ValueError: a file named \\udcff", id="not-utf8"),
        pytest.param(_HOOK_FAILS, {}, "ValueError: of the script", id="hook-fails"),
        pytest.param(_HOOK_EXITS, {}, "ValueError: of the script", id="hook-exits"),
        pytest.param(_NO_HOOK, {}, "ValueError: of the script", id="no-hook"),
        pytest.param(_FROZEN, {}, "FrozenError: 3", id="frozen"),
        pytest.param(_EXITS_SILENTLY, {}, "The script exited with code 1.", id="exits-silently"),
        pytest.param(_RUNS_EXIT_FUNCTIONS, {}, "ValueError: of the script", id="runs-exit-functions"),
        pytest.param(_NOWHERE_TO_PRINT, {}, "ValueError: of the script", id="nowhere-to-print"),
    ],
)
def test_a_script_is_none_the_wiser(
    tui_monitor: Command, tmp_path: Path, script: str, changes: dict[str, str], detail: str
) -> None:
    """The same output, errors and exit code, given an argument of any bytes; the run holds what the script said."""
    (tmp_path / "train.py").write_text(script)
    arguments = ["./train.py", "a\udcffb"]
    bare = subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env=environment(**changes),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    done = tui_monitor("run", "--headless", "--name", "run", *arguments, **changes)
    told = re.compile(r"^(run: starting|finished.*|failed.*|The script never called fit.*)\n", re.MULTILINE)
    assert (done.stdout, told.sub("", done.stderr), done.returncode) == (bare.stdout, bare.stderr, bare.returncode)
    run = load(tmp_path / "runs" / "run")
    assert (run.state, run.exit_code) == (State.FAILED if detail else State.FINISHED, bare.returncode)
    assert run.detail.startswith(detail)
    identity = json.loads((tmp_path / "runs" / "run" / "run.json").read_text())
    assert identity["command"][-1] == "a?b"
