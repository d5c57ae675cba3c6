"""Runs a framework's own tests bare and recorded, and prints what differs: `python -m tests.unchanged SUITE...`."""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.unchanged.comparing import Comparison, Run, compare, needs_another_look, table
from tests.unchanged.forked import forked
from tests.unchanged.plugin import BUDGET, NOTES, RUN
from tests.unchanged.recording import PROBE_BUDGET
from tests.unchanged.suites import TestFile, bring, test_files

_MOST_SHOWN = 12
_MOST_LOOKS = 3
"""Further bare runs of a file: the order of threads, for one, may be another only once in a while."""


def main(arguments: list[str]) -> int:
    """Compare every test file of the suites; return 0 if nothing differs and every fit is recorded or spoken of."""
    parser = argparse.ArgumentParser(prog="python -m tests.unchanged", description=__doc__)
    parser.add_argument("suites", nargs="+", type=Path, help="folders or files of a framework's own tests")
    parser.add_argument("--probe-budget", type=float, default=PROBE_BUDGET, help="fraction of time for measuring")
    parser.add_argument("--limit", type=int, default=900, help="seconds after which a file's run is ended")
    parser.add_argument("--select", default="", help="tests by name, as pytest's -k")
    parser.add_argument("--keep", type=Path, help="folder for what was noted and printed")
    given = parser.parse_args(arguments)
    try:
        files = test_files(given.suites)
    except FileNotFoundError as error:
        parser.error(str(error))
    _load_once()
    comparisons = []
    for number, file in enumerate(files):
        with tempfile.TemporaryDirectory() as folder:
            work = given.keep / f"{number:03}" if given.keep else Path(folder)
            comparison = _compared(file, work, given)
        comparisons.append(comparison)
        print("\n".join(_told(comparison)), flush=True)
    print("\n" + "\n".join(table(comparisons)))
    return 1 if any(each.differences or each.unrecorded for each in comparisons) else 0


def _load_once() -> None:
    """Import what every run needs, before any of them is forked off: nothing of it runs yet."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import keras  # noqa: F401
    import tensorflow as tf  # noqa: F401
    import tf_keras  # noqa: F401

    from tui_monitor.training.record import recorded_fit  # noqa: F401


def _compared(file: TestFile, work: Path, given: argparse.Namespace) -> Comparison:
    bare = _run(file, work / "bare", given)
    recorded = _run(file, work / "recorded", given, run=work / "run")
    again: list[Run] = []
    comparison = compare(file.name, bare, recorded)
    while needs_another_look(comparison.differences) and len(again) < _MOST_LOOKS:
        again.append(_run(file, work / f"again{len(again) + 1}", given))
        comparison = compare(file.name, bare, recorded, again)
    return comparison


def _run(file: TestFile, work: Path, given: argparse.Namespace, run: Path | None = None) -> Run:
    """Run one test file in a fork, and return what was noted."""
    brought, notes = bring(file, work), work / "notes.jsonl"

    def tests() -> int:
        import pytest

        os.environ.update({NOTES: str(notes), BUDGET: str(given.probe_budget)})
        if run is not None:
            os.environ[RUN] = str(run)
        os.chdir(work)
        # Tests of TensorFlow's read the flags of their process, and know none of ours.
        sys.argv[1:] = []
        selected = ["-k", given.select] if given.select else []
        return int(pytest.main([str(brought), f"--rootdir={work}", f"--basetemp={work / 'temporary'}", *selected]))

    ended = forked(tests, limit_seconds=given.limit)
    (work / "output.txt").write_text(ended.output + ended.errors)
    lines = notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
    return Run([json.loads(line) for line in lines], ended.code, ended.seconds)


def _told(comparison: Comparison) -> list[str]:
    """Return what is to be said of a file: its counts, and everything that differs."""
    bare, recorded = comparison.bare, comparison.recorded
    told = [
        f"{comparison.name}: {len(recorded.tests)} outcomes, {len(recorded.fits)} fits, "
        f"{bare.seconds:.1f} s bare, {recorded.seconds:.1f} s recorded"
    ]
    told += _differing(comparison)
    told += [f"  NOT DETERMINISTIC {found.test}, fit {found.fit}, {found.what}" for found in comparison.random]
    told += [f"  UNRECORDED {test}, fit {number}: the run says nothing of it" for test, number in comparison.unrecorded]
    told += [
        f"  said of {test}, fit {number}: {sentence.splitlines()[0][:160]}"
        for test, number, sentence in comparison.stopped
    ]
    return told


def _differing(comparison: Comparison) -> list[str]:
    """Return each part that differs, with the number of fits and the first of them; every outcome."""
    parts = Counter(found.what for found in comparison.differences)
    shown: Counter[str] = Counter()
    told = []
    for found in comparison.differences:
        shown[found.what] += 1
        if shown[found.what] > (_MOST_SHOWN if found.what == "outcome" else 1):
            continue
        counted = f" ({parts[found.what]} in this file)" if shown[found.what] == 1 else ""
        where = f"fit {found.fit}, {found.what}" if found.fit else found.what
        told += [f"  DIFFERS {found.test}, {where}{counted}"]
        told += [f"    bare:     {found.bare}", f"    recorded: {found.recorded}"]
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
