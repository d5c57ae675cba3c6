"""Recording from one's own script or notebook: `fit_generator`, `watch` and `Monitor` open a run when first used."""

import functools
import inspect
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import keras
import wrapt

from tui_monitor.errors import FolderNotWritable
from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.training.backends.backend import LEGACY_PACKAGE, backend_of, is_legacy, named_backend
from tui_monitor.training.guard import attempt, ignored, tell
from tui_monitor.training.hooks import hook_fits, hook_steps
from tui_monitor.training.keras2 import generator_fit
from tui_monitor.training.record.caller import inside
from tui_monitor.training.record.open_run import DEFAULT_BUDGET, DEFAULT_SECONDS, open_run
from tui_monitor.training.record.recorded_fit import RecordedFit, over
from tui_monitor.training.record.session import ACTIVE, Session, is_recording

_BACKENDS = {"keras": "keras3", LEGACY_PACKAGE: "legacy_keras"}


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
        tell(_say_unrecorded, error)
    return model


def _watch(model: keras.Model, session: Session) -> None:
    backend = backend_of(model)
    hook_fits(backend)
    session.watch(model)
    # A fit tries again, and says so where that fails.
    attempt(ignored, hook_steps, backend, otherwise=None)


def _say_unrecorded(error: Exception) -> None:
    """Say in the run, or where there is none on standard error, that a training is not recorded."""
    session = None
    with suppress(Exception):
        session = ACTIVE.session
    if session is not None:
        session.failed(error)
    else:
        text = f"training is not recorded, as that failed ({in_a_line(error)}); it goes on"
        print(f"tui-monitor: {text}", file=sys.stderr)


@functools.wraps(generator_fit.fit_generator)
def fit_generator(model: keras.Model, *args: Any, **kwargs: Any) -> keras.callbacks.History:
    """Train on batches from a generator, as Keras 2 did, recorded into this process's run."""
    try:
        session = None if is_recording() else open_run()
    except FolderNotWritable:
        raise
    except Exception as error:  # training must go on
        session = None
        tell(_say_unrecorded, error)
    if not attempt(ignored, is_legacy, model, otherwise=hasattr(model, "fit_generator")):
        return generator_fit.fit_generator(model, *args, session=session, **kwargs)
    # Legacy Keras has a `fit_generator` of its own, which fits with the model's `fit`.
    args, kwargs = attempt(ignored, _by_name, args, kwargs, otherwise=(args, kwargs))
    is_new = session is not None and attempt(_say_unrecorded, _watch_anew, model, session, otherwise=False)
    try:
        return model.fit_generator(*args, **kwargs)
    finally:
        if session is not None and is_new:
            attempt(ignored, session.unwatch, model, otherwise=None)


def _by_name(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """Return arguments in the order of Keras 2 by name: legacy Keras has one more among them.

    Raises:
        TypeError: they are not those of Keras 2, so that legacy Keras has to say what it makes of them.
    """
    bound = inspect.signature(generator_fit.fit_generator).bind(None, *args, **kwargs)
    return (), {name: value for name, value in bound.arguments.items() if name != "model"}


def _watch_anew(model: Any, session: Session) -> bool:
    """Have fits of a model recorded, and return whether they were not before."""
    is_new = not session.records(model)
    _watch(model, session)
    return is_new


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
            tell(_say_unrecorded, error)
        try:
            for package, backend in _BACKENDS.items():
                if package in sys.modules:
                    hook_fits(named_backend(backend))
        except Exception as error:  # training must go on
            tell(ignored, error)
        super().__init__()

    # Legacy Keras calls these, and is to hear `bool()`, which is False: batches are taken from the step.
    _implements_train_batch_hooks = _implements_test_batch_hooks = _implements_predict_batch_hooks = bool

    def set_model(self, model: keras.Model) -> None:
        """Begin to record, before Keras builds the model's functions."""
        try:
            if self._session is not None and not is_recording():
                self._begin(model, self._session)
        except Exception as error:  # training must go on
            tell(_say_unrecorded, error)
        super().set_model(model)

    def _begin(self, model: keras.Model, session: Session) -> None:
        within = inside()
        if not within.is_training:
            return
        # Where no fit can be hooked, nobody would tell of the end of one that raises an error.
        hook_fits(backend_of(model))
        session.fits += 1
        self._recorded = RecordedFit(model, session, within.fit)
        attempt(self._recorded.failed, self._recorded.begin, model.fit, (), {}, otherwise=None)

    def on_train_end(self, logs: Any = None) -> None:
        """Leave everything as it was."""
        try:
            recorded, self._recorded = self._recorded, None
            over(recorded, None)
        except Exception as error:  # training must go on
            tell(_say_unrecorded, error)


def _imported(backend: str, _: Any) -> None:
    """Have no recording by a `Monitor` outlive its fit: that is hooked before one can be made."""
    hook_fits(named_backend(backend))


for _package, _backend in _BACKENDS.items():
    try:
        wrapt.register_post_import_hook(
            functools.partial(attempt, ignored, _imported, _backend, otherwise=None), _package
        )
    except Exception as error:  # an import of ours must not end a script
        tell(ignored, error)
