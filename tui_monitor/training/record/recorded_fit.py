"""One `fit` call, recorded; its arguments and result stay what they are, and nothing of ours can fail it."""

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from tui_monitor.explain.samples.observed import WholeValidation
from tui_monitor.run_log.events.notifications import AlertRaised
from tui_monitor.run_log.format.error_text import in_words, text_of
from tui_monitor.run_log.format.layout import State
from tui_monitor.training.backends.backend import backend_of, is_watched
from tui_monitor.training.guard import attempt, ignored, tell
from tui_monitor.training.hooks import install_hooks
from tui_monitor.training.record.caller import Caller
from tui_monitor.training.record.given_data import GivenSamples, given_samples, given_validation
from tui_monitor.training.record.session import EndUnknown, Session, recording_here

_NO_WORKERS = (
    "Keras 3 can't train under MultiWorkerMirroredStrategy, it fails on PerReplica values: "
    "use legacy Keras, with `pip install tf_keras` and TF_USE_LEGACY_KERAS=1."
)
_PRINTABLE = (bool, int, float, str, type(None))
_SHAPED = ("numpy", "tensorflow", "pandas", "polars", "jaxlib", "torch")
"""Packages whose objects are asked for their shape; a property of the user's own is left alone."""


def recorded_fit(
    fit: Callable[..., Any], model: Any, session: Session, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Call `fit(*args, **kwargs)`, recorded, and return what it returns.

    Args:
        fit: the model's own bound `fit`.
        model: compiled or not; an uncompiled one fails in `fit` as it would without us.
        session: the run that records.
        args: positional arguments of `fit`.
        kwargs: its keyword arguments.
    """
    try:
        session.fits += 1
        recording = _begun(fit, model, session, args, kwargs)
    except Exception as error:  # training must go on
        recording = tell(session.failed, error)
    try:
        result = fit(*args, **kwargs)
    except BaseException as error:
        over(recording, error)
        raise
    over(recording, None)
    return result


def _begun(
    fit: Callable[..., Any], model: Any, session: Session, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> "RecordedFit | None":
    if not session.is_here():
        return None
    attempt(ignored, session.before_fit, otherwise=None)
    recording = RecordedFit(model, session)
    attempt(recording.failed, recording.begin, fit, args, kwargs, otherwise=None)
    return recording


def over(recording: "RecordedFit | None", error: BaseException | None) -> None:
    """Note how a fit has ended, and stop recording it.

    Args:
        recording: of the fit, or None where it is not recorded.
        error: that it raised; None where it returned.
    """
    try:
        if recording is not None and error is not None:
            attempt(recording.failed, recording.raised, error, otherwise=None)
        elif recording is not None:
            attempt(recording.failed, recording.returned, otherwise=None)
    except Exception as failure:  # training must go on
        tell(ignored, failure)
    finally:
        if recording is not None:
            attempt(recording.failed, recording.around.close, otherwise=None)
            attempt(recording.failed, recording.end, otherwise=None)


class RecordedFit:
    """What surrounds one `fit` call while it is recorded."""

    def __init__(self, model: Any, session: Session, within: Caller | None = None) -> None:
        """Prepare; nothing is changed yet.

        Args:
            model: whose fit it is.
            session: of the run.
            within: the `fit` under way, for a recording that begins inside it and may not learn of its end.
        """
        self._model = model
        self._session = session
        self._within = within
        self.around = ExitStack()
        """What goes on beside the fit, until it is closed."""
        self._recorder: Any = None

    def begin(self, fit: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Have what the fit trains recorded, until `end`.

        Args:
            fit: about to be called.
            args: positional arguments it gets.
            kwargs: keyword arguments it gets.
        """
        from tui_monitor.training.record.fit_recorder import FitRecorder

        backend = backend_of(self._model)
        named = attempt(ignored, named_arguments, fit, args, kwargs, otherwise={})
        arguments = attempt(ignored, printable_arguments, named, otherwise={})
        self._recorder = FitRecorder(self._model, self._session, fit=arguments, goes_on=self._goes_on)
        self._recorder.begin(
            attempt(ignored, given_validation, named, otherwise=WholeValidation()),
            attempt(ignored, given_samples, named, otherwise=GivenSamples()),
        )
        attempt(self._recorder.falls_back, install_hooks, backend, otherwise=None)
        if is_watched(backend):
            attempt(self._recorder.falls_back, backend.tell_of_metrics, self._model, otherwise=None)
        for block in self._recorder.around():
            self.around.enter_context(block)
        # Entered last and so left first: no hook finds the recorder while the blocks around it are closing.
        # Where the recording began inside the fit, nobody else may tell it that the fit is over.
        leave = functools.partial(over, None if self._within is None else self)
        self.around.enter_context(recording_here(self._recorder, self._goes_on, leave))

    def _goes_on(self) -> bool:
        return self._within is None or self._within.is_running()

    def returned(self) -> None:
        """Note that the fit has returned."""
        if self._recorder is not None:
            self._recorder.returned()

    def raised(self, error: BaseException) -> None:
        """Say how the fit ended where nobody else does, and what to do where Keras 3 fails on several workers."""
        # Its text last: the class of the error may be the user's.
        if "tensorflow" in sys.modules and _on_several_workers(self._model) and "PerReplica" in text_of(error):
            self._session.writer.event(AlertRaised(text=_NO_WORKERS))
            print(f"tui-monitor: {_NO_WORKERS}", file=sys.stderr)
        if not self._session.ends_with_fit:
            return
        if isinstance(error, KeyboardInterrupt):
            self._session.writer.status(State.STOPPED, "Interrupted.")
        else:
            detail = str(error) if isinstance(error, EndUnknown) else in_words(error)
            self._session.writer.status(State.FAILED, detail)

    def end(self) -> None:
        """Leave everything as it was; the blocks `around` the fit are closed by now."""
        # What is kept of the stack holds the data that was fit.
        self._within = None
        if self._recorder is not None:
            self._recorder.end()

    def failed(self, error: Exception) -> None:
        """Say that recording failed."""
        if self._recorder is not None:
            self._recorder.give_up(error)
        else:
            self._session.failed(error)


def _on_several_workers(model: Any) -> bool:
    from tui_monitor.training.backends.graphs import trains_on_several_workers

    return trains_on_several_workers(model)


def named_arguments(fit: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name, as far as the function's signature names them."""
    try:
        bound = inspect.signature(fit).bind(*args, **kwargs)
    except (TypeError, ValueError):
        # The arguments don't fit: `fit` itself is about to say so.
        return dict(kwargs)
    named: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            named.update(value)
        elif kind is not inspect.Parameter.VAR_POSITIONAL:
            named[name] = value
    return named


def printable_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fit`'s arguments as plain values: data by type and shape, never its content."""
    return {
        name: value if type(value) in _PRINTABLE else _described(value)
        for name, value in arguments.items()
        if name != "callbacks"
    }


def _described(value: Any) -> Any:
    # Of these very types: what one of the user's does when it is asked is the user's.
    if type(value) is dict and all(type(part) in _PRINTABLE for entry in value.items() for part in entry):
        return {str(key): entry for key, entry in value.items()}
    if type(value) in (list, tuple) and len(value) <= 4:
        return [_described(entry) for entry in value]
    if type(value).__module__.split(".")[0] in _SHAPED and hasattr(value, "shape"):
        return f"{type(value).__name__} {tuple(value.shape)}"
    return type(value).__name__
