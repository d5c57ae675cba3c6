"""What is hooked into a Keras once per process, for good: its functions, its callbacks, and what its steps pass by.

Every hook passes on what it is called with, first or last, and does nothing where no fit is recorded. All that is ours
in them runs under the guard.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tui_monitor.training.backends.backend import Recording, is_watched, wrap_once
from tui_monitor.training.guard import attempt, tell
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
        backend.make_functions_by(_prepared, _failed)
        join_replicas(backend.trainer)


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

    recorder, session = current_recorder(), active_session()
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
    recorder, session = current_recorder(), active_session()
    if recorder is not None:
        recorder.falls_back(error)
    elif session is not None:
        session.failed(error)
