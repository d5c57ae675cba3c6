"""What is hooked into a Keras once per process, for good: its functions, its callbacks, and what its steps pass by.

Every hook passes on what it is called with, first or last, and does nothing where no fit is recorded. All that is ours
in them runs under the guard.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tui_monitor.run_log.events.notifications import AlertRaised
from tui_monitor.training.backends.backend import Recording, all_or_none, is_watched, wrap_once
from tui_monitor.training.guard import attempt, ignored, tell
from tui_monitor.training.record.session import ACTIVE, Session, current_recorder, is_recording, leave

_EVENTS = ("on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_test_begin", "on_test_end")
_GRAPH_MODE = (
    "This fit runs in TensorFlow 1's graph mode and is not recorded. "
    "Remove `disable_eager_execution()` or `disable_v2_behavior()` from the script to see it here."
)


def install_hooks(backend: Any) -> None:
    """Hook into a Keras, unless that is done.

    Args:
        backend: of that Keras.

    Raises:
        Exception: that can't be done, and nothing, or what `hook_fits` does alone, stays hooked.
    """
    hook_fits(backend)
    hook_steps(backend)


def hook_fits(backend: Any) -> None:
    """Hook into each `fit` and what it tells its callbacks: all of it or, after a failure, nothing."""
    with all_or_none():
        wrap_once(backend.fit_owner(), "fit", _recording_fit)
        if hasattr(backend, "graph_mode_fit_owner"):
            wrap_once(backend.graph_mode_fit_owner(), "fit", _telling_of_graph_mode)
        for name in _EVENTS:
            wrap_once(backend.package.callbacks.CallbackList, name, functools.partial(_telling, name))


def hook_steps(backend: Any) -> None:
    """Hook into what a Keras' steps pass by: all of it or, after a failure, nothing."""
    if is_watched(backend):
        from tui_monitor.training.step.replicas import join_replicas

        with all_or_none():
            backend.tell_captures()
            backend.make_functions_by(_prepared, _failed)
            join_replicas(backend.trainer)


def _recording_fit(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `fit` as one that is recorded where somebody wants that, and that no recording outlives."""
    # It installs hooks itself.
    from tui_monitor.training.record.recorded_fit import recorded_fit

    @functools.wraps(original)
    def fit(*args: Any, **kwargs: Any) -> Any:
        try:
            session = _session_of(args)
            is_part = is_recording()
        except Exception as error:  # training must go on
            tell(_failed, error)
            session, is_part = None, False
        if is_part:
            return original(*args, **kwargs)
        if session is not None:
            return recorded_fit(functools.partial(original, args[0]), args[0], session, args[1:], kwargs)
        # A callback may record it, which does not learn of its end where that is an error.
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            _leave(error)
            raise
        _leave(None)
        return result

    return fit


def _session_of(args: Sequence[Any]) -> Session | None:
    """Return the session that records a fit with these arguments, the model first; None where there is none."""
    session = ACTIVE.session
    return session if args and session is not None and session.records(args[0]) else None


def _leave(error: BaseException | None) -> None:
    """End what a callback records of a fit that is over."""
    try:
        leave(error)
    except Exception as failure:  # training must go on
        tell(ignored, failure)
        # It ends what it finds to be over.
        attempt(ignored, current_recorder, otherwise=None)


def _telling_of_graph_mode(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return `fit` of TensorFlow 1's graph mode as one that is told in the run, which can't record it."""

    @functools.wraps(original)
    def fit(*args: Any, **kwargs: Any) -> Any:
        try:
            session = _session_of(args)
            if session is not None and not is_recording():
                session.writer.event(AlertRaised(_GRAPH_MODE))
        except Exception as error:  # training must go on
            tell(_failed, error)
        return original(*args, **kwargs)

    return fit


def _telling(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of a list of callbacks that tells the recorder first, which so sees each epoch's own weights."""

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            recorder = current_recorder()
            if recorder is not None:
                attempt(recorder.give_up, recorder.callbacks_called, self, name, args, kwargs, otherwise=None)
        except Exception as error:  # training must go on
            tell(_failed, error)
        # Told first, called after: callbacks may change weights that this epoch's measurement needs as they are.
        return original(self, *args, **kwargs)

    return method


@dataclass(frozen=True)
class _Recording:
    """A function about to be made of an instrument's step."""

    step: Callable[[Any], Any]
    instrument: Any

    def finished(self, function: Any) -> Any:
        """Return the function with the instrument in it."""
        return self.instrument.function(function)

    def failed(self, error: Exception) -> None:
        """Take the word that the instrument's step did not run."""
        self.instrument.failed(error)


def _prepared(model: Any, kind: str, find_step: Callable[[], Any], plain: Callable[[Any], Any]) -> Recording | None:
    """Return what a training or validation function of a model is to be made of; None where nobody records it."""
    from tui_monitor.training.step.instrument import Instrument, Kind

    recorder, session = current_recorder(), ACTIVE.session
    if recorder is not None and recorder.records(model):
        probed = recorder.probes
    elif session is not None and session.records(model):
        probed = session.budget.enabled
    else:
        return None
    instrument = Instrument(model, Kind(kind), _claimed, _failed, probed=probed)
    return _Recording(instrument.step(find_step, plain), instrument)


def _claimed(instrument: Any) -> Any:
    """Return who takes what a function returned at the moment, or None."""
    recorder = current_recorder()
    return recorder.claim(instrument) if recorder is not None and recorder.records(instrument.model) else None


def _failed(error: Exception) -> None:
    recorder, session = attempt(ignored, current_recorder, otherwise=None), ACTIVE.session
    if recorder is not None:
        recorder.falls_back(error)
    elif session is not None:
        session.failed(error)
