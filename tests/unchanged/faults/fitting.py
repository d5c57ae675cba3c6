"""Fits one kind, bare or recorded with a fault, and notes everything that must not depend on it."""

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unchanged.faults.kinds import Given, Kind, Seen, classifier, data, noting
from tests.unchanged.faults.reach import InjectedFault, Watch, watched
from tests.unchanged.fingerprint import fingerprint
from tests.unchanged.recording import Recording, forget_session, record_this_process

PROBE_BUDGET = 1.0
TRAINING = "tui_monitor.training"
BY_DESIGN: frozenset[str] = frozenset()
"""What of the frameworks stays patched after a session by design, as `module.class.attribute`."""


@dataclass
class Outcome:
    """What a fit has shown."""

    parts: dict[str, str] = field(default_factory=dict)
    """What must be equal to the bare fit's."""
    sentences: list[str] = field(default_factory=list)
    """What the run says of fits that are not recorded to their end."""
    held: str = ""
    """What the run holds of it, counted; equal to that of a run without a fault where nothing was lost."""
    escaped: list[str] = field(default_factory=list)
    """Faults that came out of a thread or a finaliser."""


def fit_kind(kind: Kind, watch: Watch | None = None) -> Outcome:
    """Fit a kind from the same seeds, bare without a watch, else recorded and under it."""
    import keras as keras3
    import tf_keras

    keras = tf_keras if kind.legacy else keras3
    if watch is not None and kind.forced:
        watch.forced = frozenset({f"{TRAINING}.{kind.forced}"})
    # What hooks as it is imported does so in each fit, and can fail in each.
    sys.modules.pop(f"{TRAINING}.api", None)
    before = _patchable()
    with tempfile.TemporaryDirectory() as folder, _escaping() as escaped:
        recording = _recording(Path(folder) / "run", kind) if watch else None
        hooked = _patchable()
        _seed(keras3, tf_keras)
        outcome = _fitted(keras, kind, watch)
        outcome.parts["patched"] = _changed(hooked, _patchable())
        if recording is not None:
            outcome.sentences, outcome.held = recording.sentences(), recording.held()
            recording.close()
        _restore(before)
        # A bare fit of a kind imports the monitor, too, which then counts what it hooks as hooked.
        forget_session()
    outcome.escaped = escaped
    return outcome


def _recording(run: Path, kind: Kind) -> Recording:
    recording = record_this_process(run, PROBE_BUDGET, hooked=kind.hooked)
    kind.prepare(run)
    return recording


def _seed(*packages: Any) -> None:
    for keras in packages:
        keras.backend.clear_session()
        keras.utils.set_random_seed(7)


def _fitted(keras: Any, kind: Kind, watch: Watch | None) -> Outcome:
    seen, (x, y) = Seen(), data()
    threads = set(threading.enumerate())
    model, result, error = None, None, None
    try:
        with watched(watch or Watch()):
            model = _compiled(keras, kind)
            given = Given([noting(keras, seen)], x, y, recorded=watch is not None)
            result = kind.fit(keras, model, given)
    except BaseException as raised:
        error = raised
    parts = fingerprint(model, result, error) if model is not None else {"exception": repr(error)}
    parts["callbacks"] = "; ".join(seen.calls)
    left = [thread.name for thread in set(threading.enumerate()) - threads if thread.is_alive()]
    parts["threads"] = ", ".join(sorted(left))
    return Outcome(parts)


def _compiled(keras: Any, kind: Kind) -> Any:
    model = (kind.model or classifier)(keras)
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
        loss=kind.loss,
        metrics=_metrics(kind),
        **kind.compile,
    )
    return model


def _metrics(kind: Kind) -> Any:
    return ["accuracy"] if kind.name != "two outputs" else [["accuracy"], ["accuracy"]]


@contextmanager
def _escaping() -> Iterator[list[str]]:
    """Note faults that nobody caught: in threads and finalisers."""
    escaped: list[str] = []
    hooks = threading.excepthook, sys.unraisablehook

    def note(raised: Any) -> None:
        if isinstance(raised.exc_value, InjectedFault):
            escaped.append(str(raised.exc_value))

    threading.excepthook = sys.unraisablehook = note
    try:
        yield escaped
    finally:
        threading.excepthook, sys.unraisablehook = hooks


def _patchable() -> dict[str, tuple[Any, str, Any]]:
    """Return every function and class attribute of both Keras that somebody could have replaced."""
    found: dict[str, tuple[Any, str, Any]] = {}
    for name, module in list(sys.modules.items()):
        if not name.startswith(("keras.src", "tf_keras.src")) or module is None:
            continue
        for attribute, value in list(vars(module).items()):
            if getattr(value, "__module__", None) == name and callable(value):
                found[f"{name}.{attribute}"] = (module, attribute, value)
            if isinstance(value, type) and value.__module__ == name:
                for method, function in list(vars(value).items()):
                    if callable(function) or isinstance(function, property):
                        found[f"{name}.{attribute}.{method}"] = (value, method, function)
    return found


def _changed(before: dict[str, tuple[Any, str, Any]], after: dict[str, tuple[Any, str, Any]]) -> str:
    known = {id(owner) for owner, _, _ in before.values()}
    names = {name for name, (_, _, value) in before.items() if name not in after or after[name][2] is not value}
    names |= {name for name, (owner, _, _) in after.items() if name not in before and id(owner) in known}
    return ", ".join(sorted(names - BY_DESIGN))


def _restore(before: dict[str, tuple[Any, str, Any]]) -> None:
    """Put back what was replaced, so that the next fit begins as this one did."""
    known = {id(owner) for owner, _, _ in before.values()}
    for name, (owner, attribute, _) in _patchable().items():
        if name not in before and id(owner) in known:
            delattr(owner, attribute)
    for owner, attribute, value in before.values():
        if vars(owner).get(attribute) is not value:
            setattr(owner, attribute, value)
