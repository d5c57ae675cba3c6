"""Recording from one's own script or notebook: `fit_generator`, `watch` and `Monitor` open a run when first used."""

import functools
import inspect
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import keras

from tui_monitor.errors import FolderNotWritable
from tui_monitor.training.backends.backend import backend_of, is_legacy
from tui_monitor.training.guard import attempt, ignored, raise_what_is_the_users, tell
from tui_monitor.training.hooks import install_hooks
from tui_monitor.training.keras2 import generator_fit
from tui_monitor.training.record.open_run import DEFAULT_BUDGET, DEFAULT_SECONDS, open_run
from tui_monitor.training.record.recorded_fit import RecordedFit, recorded_fit
from tui_monitor.training.record.session import Session, active_session, is_recording


def watch(
    model: keras.Model,
    *,
    name: str | None = None,
    runs: str | None = None,
    probe_budget: float = DEFAULT_BUDGET,
    probe_seconds: float = DEFAULT_SECONDS,
) -> keras.Model:
    """Have every later `fit` of a model recorded and explained; return the model.

    Args:
        model: compiled now or later.
        name: of the run, where one is opened; see `open_run`.
        runs: likewise.
        probe_budget: likewise.
        probe_seconds: likewise.

    Raises:
        FolderNotWritable: the runs folder can't be written to.
    """
    try:
        _watch(model, open_run(name, runs, probe_budget, probe_seconds))
    except FolderNotWritable:
        raise
    except Exception as error:  # training must go on
        _say_unrecorded(error)
    return model


def _watch(model: keras.Model, session: Session) -> None:
    session.watched.add(model)
    # A fit tries again, and says so where that fails.
    attempt(ignored, install_hooks, backend_of(model), otherwise=None)
    if "fit" in model.__dict__:
        return
    fit = model.fit

    @functools.wraps(fit)
    def watched_fit(*args: Any, **kwargs: Any) -> Any:
        """Fit as the model does, recorded unless this is part of a fit that is."""
        try:
            is_part = is_recording()
        except Exception as error:  # training must go on
            tell(session.failed, error)
            is_part = True
        return fit(*args, **kwargs) if is_part else recorded_fit(fit, model, session, args, kwargs)

    object.__setattr__(model, "fit", watched_fit)


def _say_unrecorded(error: Exception) -> None:
    """Say in the run, or where there is none on standard error, that a training is not recorded."""
    raise_what_is_the_users(error)
    with suppress(Exception):
        session = active_session()
        if session is not None:
            session.failed(error)
        else:
            text = f"training is not recorded, as that failed ({type(error).__name__}: {error}); it goes on"
            print(f"tui-monitor: {text}", file=sys.stderr)


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

    _session: Session | None = None
    _recorded: RecordedFit | None = None

    def __init__(
        self,
        *,
        name: str | None = None,
        runs: str | None = None,
        probe_budget: float = DEFAULT_BUDGET,
        probe_seconds: float = DEFAULT_SECONDS,
    ) -> None:
        """Open the run; see `open_run` for the arguments.

        Raises:
            FolderNotWritable: the runs folder can't be written to.
        """
        try:
            self._session = open_run(name, runs, probe_budget, probe_seconds)
        except FolderNotWritable:
            raise
        except Exception as error:  # training must go on
            _say_unrecorded(error)
        super().__init__()

    def _implements_train_batch_hooks(self) -> bool:
        """Tell legacy Keras, which asks for it, that batches are taken from the step."""
        return False

    _implements_test_batch_hooks = _implements_predict_batch_hooks = _implements_train_batch_hooks

    def set_model(self, model: keras.Model) -> None:
        """Begin to record, before Keras builds the model's functions."""
        try:
            if self._session is not None and not is_recording():
                self._begin(model, self._session)
        except Exception as error:  # training must go on
            _say_unrecorded(error)
        super().set_model(model)

    def _begin(self, model: keras.Model, session: Session) -> None:
        session.fits += 1
        self._recorded = RecordedFit(model, session)
        attempt(self._recorded.failed, self._recorded.begin, model.fit, (), {}, otherwise=None)

    def on_train_end(self, logs: Any = None) -> None:
        """Leave everything as it was."""
        try:
            if self._recorded is not None:
                attempt(self._recorded.failed, self._recorded.returned, otherwise=None)
        except Exception as error:  # training must go on
            _say_unrecorded(error)
        finally:
            recorded, self._recorded = self._recorded, None
            if recorded is not None:
                attempt(recorded.failed, recorded.end, otherwise=None)
