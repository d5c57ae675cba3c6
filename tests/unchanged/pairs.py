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
import runpy
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.unchanged.fingerprint import plain
from tests.unchanged.forked import forked

SCRIPTS = Path(__file__).parent / "scripts"
NOT_YET = frozenset(
    {
        "after_fit",
        "between_fits",
        "callbacks_see",
        "check_numerics",
        "closed_descriptors",
        "column_weights",
        "decay",
        "eager_layers",
        "effects_in_graphs",
        "gan",
        "legacy_mixed",
        "metric_name",
        "odd_results",
        "own_attributes",
        "own_functions",
        "set_optimizer",
        "stateful_loss",
        "tf_variable_state",
        "time_limit",
        "traces",
        "user_patches",
        "weights_of_means",
    }
)
"""Scripts that still print something else when they are recorded: by hand they are run, in the suite they are not."""

ALONE = frozenset({"closed_descriptors"})
"""Scripts that take their process from all that come after them."""


@dataclass(frozen=True)
class Printed:
    """What a script has printed."""

    lines: list[str]
    """Of its standard output, without addresses; then how it ended."""
    alerts: list[str]
    """What the run says of fits that are not recorded to their end; empty in a bare one."""


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
        same = bare.lines == recorded.lines
        print(f"{name}: {'the same' if same else 'DIFFERS'}{''.join(f' (said: {text})' for text in recorded.alerts)}")
        for line in difflib.unified_diff(bare.lines, recorded.lines, "bare", "recorded", lineterm="", n=0):
            print(f"    {line[:300]}")
    return int(any(bare.lines != recorded.lines for bare, recorded in both.values()))


def _load_once() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import keras  # noqa: F401
    import tensorflow as tf  # noqa: F401
    import tf_keras  # noqa: F401

    from tui_monitor.training import child, recorded_fit  # noqa: F401


def apart(scripts: Sequence[Path]) -> dict[str, tuple[Printed, Printed]]:
    """Return what each script prints bare, and as `tui-monitor run --headless` runs it, in forks of their own."""
    from tests.unchanged.recording import train_as_child

    both = {}
    for script in scripts:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            run.mkdir()
            ends = [
                forked(lambda script=script: _ran(script)),  # type: ignore[misc]
                forked(lambda script=script, run=run: train_as_child(run, script)),  # type: ignore[misc]
            ]
            alerts: list[list[str]] = [[], _alerts(run)]
        lines = [[*map(plain, end.output.splitlines()), f"exit code {end.code}"] for end in ends]
        both[script.stem] = Printed(lines[0], alerts[0]), Printed(lines[1], alerts[1])
    return both


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
    """Return what the scripts print one after another in one bare and one recorded process."""
    bare, recorded = (_all_in_one(scripts, is_recorded=is_recorded) for is_recorded in (False, True))
    return {name: (bare[name], recorded[name]) for name in bare}


def _all_in_one(scripts: Sequence[Path], *, is_recorded: bool) -> dict[str, Printed]:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "printed.json"

        def run() -> int:
            from tests.unchanged.recording import record_this_process

            recording = record_this_process(Path(folder) / "run") if is_recorded else None
            printed = {}
            for script in scripts:
                before = len(recording.sentences()) if recording else 0
                lines = _captured(script)
                printed[script.stem] = {"lines": lines, "alerts": recording.sentences()[before:] if recording else []}
                results.write_text(json.dumps(printed))
            return 0

        ended = forked(run)
        if ended.code:
            raise RuntimeError(f"the scripts ended their process with {ended.code}:\n{ended.errors}")
        return {name: Printed(**each) for name, each in json.loads(results.read_text()).items()}


def _captured(script: Path) -> list[str]:
    """Run a script in a namespace of its own, and return what it prints and how it ends."""
    output, ended = io.StringIO(), "ends"
    with contextlib.redirect_stdout(output):
        try:
            runpy.run_path(str(script), run_name="__main__")
        except BaseException as error:  # the next script is to run whatever this one does
            ended = f"{type(error).__name__}: {error}"
    return [*map(plain, output.getvalue().splitlines()), plain(ended)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
