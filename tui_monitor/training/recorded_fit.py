"""One `fit` call with a recorder as its first callback; its arguments and result stay what they are."""

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from tui_monitor.training.engines import engine_of
from tui_monitor.training.fit_recorder import fit_recorder
from tui_monitor.training.own_replica import trains_on_several_workers
from tui_monitor.training.session import Session

_NO_WORKERS = (
    "Keras 3 can't train under MultiWorkerMirroredStrategy, it fails on PerReplica values: "
    "use legacy Keras, with `pip install tf_keras` and TF_USE_LEGACY_KERAS=1."
)
_PRINTABLE = (bool, int, float, str, type(None))


def recorded_fit(
    fit: Callable[..., Any], model: Any, session: Session, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Call `fit(*args, **kwargs)` with a recorder among its callbacks and return what it returns.

    Args:
        fit: the model's own bound `fit`.
        model: compiled or not; an uncompiled one fails in `fit` as it would without us.
        session: the run that records.
        args: positional arguments of `fit`.
        kwargs: its keyword arguments.
    """
    try:
        bound = inspect.signature(fit).bind(*args, **kwargs)
    except TypeError:
        return fit(*args, **kwargs)
    arguments = bound.arguments
    callbacks = arguments.get("callbacks")
    recorder = fit_recorder(model, session, fit=printable_arguments(arguments), callbacks=_listed(model, callbacks))
    with recorder.recording(model), _hint_at_workers(model, session):
        try:
            return fit(**{**_flat(arguments), "callbacks": with_first(model, recorder, callbacks)})
        finally:
            _without(recorder, callbacks)


def _listed(model: Any, callbacks: Any) -> list[Any]:
    if isinstance(callbacks, engine_of(model).package.callbacks.CallbackList):
        return list(callbacks.callbacks)
    return list(tf.nest.flatten(callbacks)) if callbacks else []


@contextlib.contextmanager
def _hint_at_workers(model: Any, session: Session) -> Iterator[None]:
    """Say what to do where Keras 3 fails under a strategy of several workers; its error passes untouched."""
    try:
        yield
    except Exception as error:
        if trains_on_several_workers(model) and "PerReplica" in str(error):
            session.writer.event("alert", text=_NO_WORKERS)
            print(f"tui-monitor: {_NO_WORKERS}", file=sys.stderr)
        raise


def with_first(model: Any, recorder: Any, callbacks: Any) -> Any:
    """Return the callbacks with the recorder before them, so that it sees each epoch's own weights.

    Args:
        model: whose `fit` it is.
        recorder: to be called first.
        callbacks: as given to `fit`: None, one callback, a nest of them, or a `CallbackList`.
    """
    if isinstance(callbacks, engine_of(model).package.callbacks.CallbackList):
        recorder.set_model(callbacks.model)
        recorder.set_params(callbacks.params)
        callbacks.callbacks.insert(0, recorder)
        return callbacks
    return [recorder, *_listed(model, callbacks)]


def _without(recorder: Any, callbacks: Any) -> None:
    """Take the recorder out of a `CallbackList` again, which another `fit` may be given."""
    listed = getattr(callbacks, "callbacks", None)
    if isinstance(listed, list) and recorder in listed:
        listed.remove(recorder)


def _flat(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return bound arguments as keywords, those that a subclass's `**kwargs` took included."""
    flat: dict[str, Any] = {}
    for name, value in arguments.items():
        if name == "kwargs" and isinstance(value, dict):
            flat.update(value)
        else:
            flat[name] = value
    return flat


def printable_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fit`'s arguments as plain values: data by type and shape, never its content."""
    return {
        name: value if isinstance(value, _PRINTABLE) else _described(value)
        for name, value in arguments.items()
        if name != "callbacks"
    }


def _described(value: Any) -> Any:
    if isinstance(value, dict) and all(isinstance(entry, _PRINTABLE) for entry in value.values()):
        return {str(key): entry for key, entry in value.items()}
    if isinstance(value, list | tuple) and len(value) <= 4:
        return [_described(entry) for entry in value]
    shape = getattr(value, "shape", None)
    if shape is not None and not callable(shape):
        return f"{type(value).__name__} {tuple(shape)}"
    return type(value).__name__
