"""Records every `fit` of a script that knows nothing of us: hooks that wait for Keras to be imported.

Nothing is imported, patched or written before the script itself imports Keras, and nothing is recorded before it fits.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import wrapt

from tui_monitor.run_log.events.notifications import AlertRaised
from tui_monitor.training.backends.backend import LEGACY_PACKAGE, named_backend, wrap_once
from tui_monitor.training.guard import attempt, tell
from tui_monitor.training.record.session import Session, is_recording

HOW_TO_LOG = (
    "A loop of the script's own is recorded with tui_monitor.log_batch(loss=...) after each batch and "
    "tui_monitor.log_epoch(val_loss=...) after each epoch."
)
_UNRECORDED_BATCHES = f"The script trains with train_on_batch, outside of fit: that is not recorded. {HOW_TO_LOG}"
_PATIENCE = 20
"""Calls of `train_on_batch` after which a loop that logs would have logged its first batch."""
_GRAPH_MODE = (
    "This fit runs in TensorFlow 1's graph mode and is not recorded. "
    "Remove `disable_eager_execution()` or `disable_v2_behavior()` from the script to see it here."
)


def record_fits(session: Session) -> None:
    """Have every `Model.fit` of this process recorded into the session's run, once Keras is imported."""
    session.records_all = True

    def keras_imported(keras: Any) -> None:
        attempt(session.failed, _hook_keras, keras, session, otherwise=None)

    def legacy_keras_imported(tf_keras: Any) -> None:
        attempt(session.failed, _hook_legacy_keras, session, otherwise=None)

    wrapt.register_post_import_hook(keras_imported, "keras")
    wrapt.register_post_import_hook(legacy_keras_imported, LEGACY_PACKAGE)


def _hook_keras(keras: Any, session: Session) -> None:
    # Only now, when the script has imported Keras by itself: nothing of ours may load it any earlier.
    from tui_monitor.training.hooks import install_hooks
    from tui_monitor.training.keras2.calls import provide_keras2_calls

    backend = named_backend("keras3")
    hook_fit(backend.fit_owner(), session)
    hook_batches(backend.fit_owner(), session)
    provide_keras2_calls(keras)
    install_hooks(backend)


def _hook_legacy_keras(session: Session) -> None:
    from tui_monitor.training.hooks import install_hooks

    backend = named_backend("legacy_keras")
    hook_fit(backend.fit_owner(), session)
    hook_batches(backend.fit_owner(), session)
    hook_graph_mode(backend.graph_mode_fit_owner(), session)
    install_hooks(backend)


def hook_graph_mode(model_class: Any, session: Session) -> None:
    """Have the run say of every fit in TensorFlow 1's graph mode that it can't be recorded."""
    _wrap_fit(model_class, session, _unrecorded_fit)


def hook_fit(model_class: Any, session: Session) -> None:
    """Have every fit of a class recorded into a session's run."""
    from tui_monitor.training.record.recorded_fit import recorded_fit

    _wrap_fit(model_class, session, recorded_fit)


def hook_batches(model_class: Any, session: Session) -> None:
    """Have the run say that a script's own loop over `train_on_batch` is not recorded."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def train_on_batch(*args: Any, **kwargs: Any) -> Any:
            try:
                # Keras itself never calls this in `fit`, but a callback of a recorded fit may.
                if not session.logs_loops and session.unrecorded_batches < _PATIENCE and not is_recording():
                    _count_unrecorded(session)
            except Exception as error:  # training must go on
                tell(session.failed, error)
            return original(*args, **kwargs)

        return train_on_batch

    wrap_once(model_class, "train_on_batch", wrap)


def _count_unrecorded(session: Session) -> None:
    session.unrecorded_batches += 1
    if session.unrecorded_batches == _PATIENCE and session.is_here():
        session.writer.event(AlertRaised(_UNRECORDED_BATCHES))


def _unrecorded_fit(
    fit: Callable[..., Any], model: Any, session: Session, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Call `fit(*args, **kwargs)` of a model in TensorFlow 1's graph mode, and say that nothing of it is recorded."""
    attempt(session.failed, functools.partial(session.writer.event, AlertRaised(_GRAPH_MODE)), otherwise=None)
    return fit(*args, **kwargs)


def _wrap_fit(model_class: Any, session: Session, recorded: Callable[..., Any]) -> None:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def fit(*args: Any, **kwargs: Any) -> Any:
            try:
                # Without a model Python's own TypeError is due; a fit inside a recorded one is a part of it.
                is_part = not args or is_recording()
            except Exception as error:  # training must go on
                tell(session.failed, error)
                is_part = True
            if is_part:
                return original(*args, **kwargs)
            # Bound by hand: what was replaced in the class is a plain function that gets the model first.
            return recorded(functools.partial(original, args[0]), args[0], session, args[1:], kwargs)

        return fit

    wrap_once(model_class, "fit", wrap)
