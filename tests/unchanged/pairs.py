"""Runs small scripts bare and recorded and compares what they print: `python -m tests.unchanged.pairs [SCRIPT...]`.

By hand each script has a fork of its own, recorded through the training process of `tui-monitor run --headless`. The
short form, `--together`, runs all of them one after another in one process of each kind.
"""

import argparse
import contextlib
import difflib
import io
import json
import os
import re
import runpy
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.unchanged.fingerprint import plain
from tests.unchanged.forked import Ended, Fork, forked

SCRIPTS = Path(__file__).parent / "scripts"

_TIME = re.compile(r"\b\d+[mµu]?s\b")
_EVERY_PROBE = 1.0
"""Budget under which each of many fits in one process is measured."""
ALONE = frozenset({"check_numerics", "closed_descriptors", "time_limit"})
"""Scripts that take their process from all that come after them, or the count of automatic names."""


@dataclass(frozen=True)
class Printed:
    """What a script has printed."""

    lines: list[str]
    """Of its standard output, without addresses; then how it ended."""
    alerts: list[str]
    """What the run says of fits that are not recorded to their end; empty in a bare one."""
    seconds: float
    """Processor time of the script, or the time that its fork took."""


def main(arguments: list[str]) -> int:
    """Compare scripts and print each difference; return 0 if there is none."""
    parser = argparse.ArgumentParser(prog="python -m tests.unchanged.pairs", description=__doc__)
    parser.add_argument("scripts", nargs="*", type=Path, help="scripts; by default those of the tests")
    parser.add_argument("--together", action="store_true", help="all scripts in one process of each kind")
    parser.add_argument("--json", action="store_true", help="print what was printed, as one object")
    given = parser.parse_args(arguments)
    scripts = given.scripts or sorted(SCRIPTS.glob("*.py"))
    _load_once()
    alone = [script for script in scripts if not given.together or script.stem in ALONE]
    both = {**together([script for script in scripts if script not in alone]), **apart(alone)}
    if given.json:
        print(json.dumps({name: [asdict(printed) for printed in pair] for name, pair in both.items()}))
        return 0
    for name, (bare, recorded) in both.items():
        same = "the same" if bare.lines == recorded.lines else "DIFFERS"
        said = "".join(f"\n    (said: {text.splitlines()[0][:160]})" for text in recorded.alerts)
        print(f"{name}: {same} ({bare.seconds:.1f} s, {recorded.seconds:.1f} s){said}", flush=True)
        for line in difflib.unified_diff(bare.lines, recorded.lines, "bare", "recorded", lineterm="", n=0):
            print(f"    {line[:300]}")
    return int(any(bare.lines != recorded.lines for bare, recorded in both.values()))


def _load_once() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import keras  # noqa: F401
    import tensorflow as tf  # noqa: F401
    import tf_keras  # noqa: F401

    from tui_monitor.training.child import process  # noqa: F401
    from tui_monitor.training.record import recorded_fit  # noqa: F401


def apart(scripts: Sequence[Path]) -> dict[str, tuple[Printed, Printed]]:
    """Return what each script prints bare, and as `tui-monitor run --headless` runs it, in forks of their own."""
    from tests.unchanged.recording import train_as_child

    both = {}
    for script in scripts:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            run.mkdir()
            bare = forked(lambda script=script: _ran(script))  # type: ignore[misc]
            recorded = forked(lambda script=script, run=run: train_as_child(run, script))  # type: ignore[misc]
            both[script.stem] = _printed(bare, []), _printed(recorded, _alerts(run))
    return both


def _printed(ended: Ended, alerts: list[str]) -> Printed:
    return Printed([*_lines(ended.output), f"exit code {ended.code}"], alerts, ended.seconds)


def _ran(script: Path) -> int:
    """Run a script as `python SCRIPT` would, and return its exit code."""
    sys.argv, sys.path[0] = [str(script)], str(script.parent)
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as leaving:
        return int(leaving.code or 0) if not isinstance(leaving.code, str) else 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _alerts(run: Path) -> list[str]:
    from tests.unchanged.recording import Recording

    return Recording(None, run).sentences()


def together(scripts: Sequence[Path]) -> dict[str, tuple[Printed, Printed]]:
    """Return what the scripts print one after another in one bare and one recorded process, both at the same time."""
    if not scripts:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        sides = {side: Path(folder) / f"{side}.json" for side in ("bare", "recorded")}
        run = Path(folder) / "run"
        forks = [
            Fork(lambda: _run_all(scripts, sides["bare"], None)),
            Fork(lambda: _run_all(scripts, sides["recorded"], run)),
        ]
        for ended in [fork.wait() for fork in forks]:
            if ended.code:
                raise RuntimeError(f"the scripts ended their process with {ended.code}:\n{ended.errors}")
        bare, recorded = (json.loads(results.read_text()) for results in sides.values())
        return {name: (Printed(**bare[name]), Printed(**recorded[name])) for name in bare}


def _run_all(scripts: Sequence[Path], results: Path, run: Path | None) -> int:
    """Run scripts in this process, recorded into a run if there is one, and write what each has printed."""
    from tests.unchanged.recording import record_this_process

    recording = record_this_process(run, _EVERY_PROBE) if run is not None else None
    printed = {}
    for script in scripts:
        before, worked = len(recording.sentences()) if recording else 0, time.process_time()
        lines = _captured(script)
        said = recording.sentences()[before:] if recording else []
        printed[script.stem] = asdict(Printed(lines, said, time.process_time() - worked))
        results.write_text(json.dumps(printed))
    if recording is not None:
        recording.close()
    return 0


def _captured(script: Path) -> list[str]:
    """Run a script in a namespace of its own, and return what it prints and how it ends."""
    output, ended = io.StringIO(), "ends"
    with contextlib.redirect_stdout(output):
        try:
            runpy.run_path(str(script), run_name="__main__")
        except BaseException as error:  # the next script is to run whatever this one does
            ended = f"{type(error).__name__}: {error}"
    return [*_lines(output.getvalue()), plain(ended)]


def _lines(output: str) -> list[str]:
    """Return what was printed, line by line, without addresses and without the times of progress lines."""
    return [_TIME.sub("…s", plain(line)) for line in output.splitlines()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
