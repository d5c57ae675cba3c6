"""A pytest plugin (`-p tests.unchanged.plugin`): notes each test's outcome and each fit's fingerprint, maybe recorded.

The wrapper that notes is outside of the monitor's and knows nothing of it. Set by the environment: `UNCHANGED_NOTES`, a
file that gets a JSON object a line, and `UNCHANGED_RUN`, a run folder to record into; without it the tests run bare.
"""

import functools
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unchanged.fingerprint import fingerprint, plain
from tests.unchanged.recording import PROBE_BUDGET, Recording, record_this_process

_SEED = 1337
NOTES, RUN, BUDGET = "UNCHANGED_NOTES", "UNCHANGED_RUN", "UNCHANGED_PROBE_BUDGET"


class Notes:
    """A file of JSON lines that loses nothing when the process dies."""

    def __init__(self, path: Path, recording: Recording | None) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._fits = 0
        self.recording = recording
        self.test = ""
        """The test that runs."""

    def write(self, **note: Any) -> None:
        """Write one note."""
        with self._lock:
            self._file.write(json.dumps(note) + "\n")
            self._file.flush()

    def begin_test(self, test: str) -> None:
        """Count fits from the first again."""
        self.test, self._fits = test, 0

    def next_fit(self) -> int:
        """Return the fit's number in its test, from 1."""
        with self._lock:
            self._fits += 1
            return self._fits


_inside = threading.local()


def note_fits(model_class: Any, notes: Notes) -> None:
    """Wrap the `fit` of a model class, where it is defined, so that each call is counted and fingerprinted."""
    owner = next(base for base in model_class.__mro__ if "fit" in vars(base))
    original = owner.fit

    @functools.wraps(original)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        depth, number = getattr(_inside, "depth", 0), notes.next_fit()
        _inside.depth = depth + 1
        before = _said(notes.recording)
        result, error, begun, worked = None, None, time.perf_counter(), time.process_time()
        try:
            result = original(self, *args, **kwargs)
        except BaseException as raised:
            error = raised
            raise
        finally:
            seconds, processor = time.perf_counter() - begun, time.process_time() - worked
            _inside.depth = depth
            notes.write(
                note="fit",
                test=notes.test,
                number=number,
                depth=depth,
                seconds=seconds,
                processor=processor,
                recorded=_since(before, notes.recording),
                fingerprint=fingerprint(self, result, error),
            )
        return result

    owner.fit = fit


def _said(recording: Recording | None) -> tuple[int, int]:
    return (0, 0) if recording is None else (recording.fits, len(recording.sentences()))


def _since(before: tuple[int, int], recording: Recording | None) -> dict[str, Any] | None:
    if recording is None:
        return None
    return {"fits": recording.fits - before[0], "sentences": recording.sentences()[before[1] :]}


def seed_alike() -> None:
    """Have tests that ask NumPy for a seed of the system's draw the same numbers in every run."""
    original = np.random.seed

    @functools.wraps(original)
    def seed(value: Any = None) -> None:
        original(_SEED if value is None else value)

    np.random.seed = seed  # type: ignore[assignment]


class UnchangedPlugin:
    """Seeds every test alike, and notes how it went."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Seed everything before a test."""
        self._notes.begin_test(_name(item.nodeid))
        for name in ("keras", "tf_keras"):
            if name in sys.modules:
                sys.modules[name].utils.set_random_seed(_SEED)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test's outcome, and the setup's or teardown's where it is no success."""
        if report.when == "call" or report.outcome != "passed":
            said = plain(str(report.longrepr).strip().splitlines()[-1]) if report.longrepr else ""
            self._notes.write(
                note="test", test=_name(report.nodeid), when=report.when, outcome=report.outcome, said=said
            )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that can't be imported."""
        if report.outcome == "failed":
            said = plain(str(report.longrepr).strip().splitlines()[-1])
            self._notes.write(note="test", test="(collection)", when="collect", outcome="failed", said=said)

    def pytest_unconfigure(self) -> None:
        """End the run."""
        if self._notes.recording is not None:
            self._notes.recording.close()


def _name(node: str) -> str:
    """Return a test's name without its file, which is a copy."""
    return node.split("::", 1)[-1]


def pytest_configure(config: pytest.Config) -> None:
    """Begin to note, and to record where that is asked for, before any test file is imported."""
    import keras
    import tf_keras
    from tf_keras.src.engine import training_v1

    config.addinivalue_line("markers", "requires_trainable_backend: of Keras' own tests")
    config.addinivalue_line("markers", "multi_device: of Keras' own tests")
    run, budget = os.environ.get(RUN), float(os.environ.get(BUDGET, PROBE_BUDGET))
    recording = record_this_process(Path(run), budget) if run else None
    notes = Notes(Path(os.environ[NOTES]), recording)
    seed_alike()
    for model_class in (keras.Model, tf_keras.Model, training_v1.Model):
        note_fits(model_class, notes)
    config.pluginmanager.register(UnchangedPlugin(notes))
