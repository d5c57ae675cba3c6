"""What is hooked into a Keras once per process, for good: its functions, its callbacks, and what its steps pass by.

Every hook passes on what it is called with, first or last, and does nothing where no fit is recorded. All that is ours
in them runs under the guard.
"""

import functools
from collections.abc import Callable
from typing import Any

from tui_monitor.training.backends.backend import is_watched, wrap_once
from tui_monitor.training.guard import attempt
from tui_monitor.training.record.session import active_session, current_recorder

_EVENTS = ("on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_test_begin", "on_test_end")


def install_hooks(backend: Any) -> None:
    """Hook into a Keras, unless that is done.

    Args:
        backend: of that Keras.
    """
    for name in _EVENTS:
        wrap_once(backend.package.callbacks.CallbackList, name, functools.partial(_telling, name))
    if is_watched(backend):
        from tui_monitor.training.step.replicas import join_replicas

        backend.tell_captures()
        backend.make_functions_by(_made)
        join_replicas(backend.trainer)


def _telling(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of a list of callbacks that tells the recorder first, which so sees each epoch's own weights."""

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = current_recorder()
        if recorder is not None:
            attempt(recorder.give_up, recorder.callbacks_called, self, name, args, kwargs, otherwise=None)
        return original(self, *args, **kwargs)

    return method


def _made(model: Any, kind: str, find_step: Callable[[], Any], build: Callable[[Any], Any]) -> Any:
    """Return a training or validation function of a model, with an instrument in it where the model is recorded."""
    instrument = attempt(_failed, _instrument, model, kind, otherwise=None)
    step = None if instrument is None else attempt(_failed, instrument.step, find_step, otherwise=None)
    if step is None:
        return build(None)
    function = build(step)
    return attempt(_failed, instrument.function, function, otherwise=function)


def _instrument(model: Any, kind: str) -> Any:
    """Return an instrument for a function of a model; None where nobody records it."""
    from tui_monitor.training.step.instrument import Instrument, Kind

    recorder, session = current_recorder(), active_session()
    if recorder is not None and recorder.records(model):
        return Instrument(model, Kind(kind), _claimed, probed=recorder.probes)
    if session is not None and session.records(model):
        return Instrument(model, Kind(kind), _claimed, probed=session.budget.enabled)
    return None


def _claimed(instrument: Any) -> Any:
    """Return who takes what a function returned at the moment, or None."""
    recorder = current_recorder()
    return recorder.claim(instrument) if recorder is not None and recorder.records(instrument.model) else None


def _failed(error: Exception) -> None:
    recorder, session = current_recorder(), active_session()
    if recorder is not None:
        recorder.falls_back(error)
    elif session is not None:
        session.failed(error)
