"""Recording from one's own script or notebook: `fit_generator`, `watch` and `Monitor` open a run when first used."""

import atexit
import functools
import inspect
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras

from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.folders import create_run_folder, runs_folder
from tui_monitor.run_log.runs.workers import claim_place, run_of, worker_from_environment
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.backends.backend import backend_of, is_legacy
from tui_monitor.training.child.identity import run_identity
from tui_monitor.training.guard import attempt
from tui_monitor.training.hooks import install_hooks
from tui_monitor.training.keras2 import generator_fit
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.record.recorded_fit import RecordedFit, recorded_fit
from tui_monitor.training.record.session import Session, activate, active_session, is_recording

DEFAULT_BUDGET = 0.02


def open_run(name: str | None = None, runs: str | None = None, probe_budget: float = DEFAULT_BUDGET) -> Session:
    """Return the run that this process records into, opening one when there is none.

    Args:
        name: of the run; by default from the script's name and the time.
        runs: folder of the runs; by default `TUI_MONITOR_RUNS`, else `runs/` in the current folder.
        probe_budget: fraction of training time for measuring, from 0 to 1; 0 turns probes off.

    Raises:
        FolderNotWritable: the runs folder can't be written to.
    """
    active = active_session()
    if active is not None:
        return active
    stem = Path(sys.argv[0]).stem if sys.argv and sys.argv[0] else "notebook"
    worker = worker_from_environment(os.environ)
    if worker is None:
        folder = create_run_folder(runs_folder(runs), name, stem or "notebook", datetime.now(UTC).astimezone())
    else:
        folder = claim_place(runs_folder(runs), name, stem or "notebook", worker).folder
    writer = RunWriter(folder, run_identity(run_of(folder).name, sys.argv, worker=worker))
    writer.status(State.STARTING, "No fit was called yet")
    session = Session(writer, folder, ProbeBudget(fraction=probe_budget), ends_with_fit=True)
    activate(session)
    atexit.register(writer.close)
    return session


def watch(
    model: keras.Model, *, name: str | None = None, runs: str | None = None, probe_budget: float = DEFAULT_BUDGET
) -> keras.Model:
    """Have every later `fit` of a model recorded and explained; return the model.

    Args:
        model: compiled now or later.
        name: of the run, where one is opened; see `open_run`.
        runs: likewise.
        probe_budget: likewise.
    """
    session = open_run(name, runs, probe_budget)
    session.watched.add(model)
    install_hooks(backend_of(model))
    if "fit" in model.__dict__:
        return model
    fit = model.fit

    @functools.wraps(fit)
    def watched_fit(*args: Any, **kwargs: Any) -> Any:
        """Fit as the model does, recorded unless this is part of a fit that is."""
        if is_recording():
            return fit(*args, **kwargs)
        return recorded_fit(fit, model, session, args, kwargs)

    object.__setattr__(model, "fit", watched_fit)
    return model


@functools.wraps(generator_fit.fit_generator)
def fit_generator(model: keras.Model, *args: Any, **kwargs: Any) -> keras.callbacks.History:
    """Train on batches from a generator, as Keras 2 did, recorded into this process's run."""
    session = None if is_recording() else open_run()
    if is_legacy(model):
        return _legacy_fit_generator(model, session, args, kwargs)
    return generator_fit.fit_generator(model, *args, session=session, **kwargs)


def _legacy_fit_generator(model: Any, session: Session | None, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call legacy Keras' own `fit_generator`, which fits with the model's `fit`."""
    bound = inspect.signature(generator_fit.fit_generator).bind(model, *args, **kwargs)
    arguments = {name: value for name, value in bound.arguments.items() if name != "model"}
    fit = model.fit
    if session is None or "fit" in model.__dict__:
        return model.fit_generator(**arguments)
    object.__setattr__(model, "fit", lambda *given, **named: recorded_fit(fit, model, session, given, named))
    try:
        return model.fit_generator(**arguments)
    finally:
        object.__delattr__(model, "fit")


class Monitor(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback that records the `fit` it is given to: `model.fit(..., callbacks=[Monitor()])`.

    Give it first among the callbacks, so that it sees each epoch's weights before others change them.
    """

    def __init__(
        self, *, name: str | None = None, runs: str | None = None, probe_budget: float = DEFAULT_BUDGET
    ) -> None:
        """Open the run; see `open_run` for the arguments.

        Raises:
            FolderNotWritable: the runs folder can't be written to.
        """
        super().__init__()
        self._session = open_run(name, runs, probe_budget)
        self._recorded: RecordedFit | None = None

    def _implements_train_batch_hooks(self) -> bool:
        """Tell legacy Keras, which asks for it, that batches are taken from the step."""
        return False

    _implements_test_batch_hooks = _implements_predict_batch_hooks = _implements_train_batch_hooks

    def set_model(self, model: keras.Model) -> None:
        """Begin to record, before Keras builds the model's functions."""
        super().set_model(model)
        if is_recording():
            return
        self._recorded = attempt(self._session.failed, RecordedFit, model, self._session, otherwise=None)
        if self._recorded is not None:
            attempt(self._recorded.failed, self._recorded.begin, model.fit, (), {}, otherwise=None)

    def on_train_end(self, logs: Any = None) -> None:
        """Leave everything as it was."""
        recorded, self._recorded = self._recorded, None
        if recorded is not None:
            attempt(recorded.failed, recorded.returned, otherwise=None)
            attempt(recorded.failed, recorded.end, otherwise=None)
