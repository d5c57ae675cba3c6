"""Records every `fit` of a script that knows nothing of us: hooks that wait for Keras to be imported.

Nothing is imported, patched or written before the script itself imports Keras, and nothing is recorded before it fits.
"""

import functools
from collections.abc import Callable
from typing import Any

import wrapt

from tui_monitor.run_log.events.notifications import AlertRaised
from tui_monitor.training.backends.backend import LEGACY_PACKAGE, named_backend, wrap_once
from tui_monitor.training.guard import attempt, ignored, tell
from tui_monitor.training.record.session import Session, is_recording

HOW_TO_LOG = (
    "A loop of the script's own is recorded with tui_monitor.log_batch(loss=...) after each batch and "
    "tui_monitor.log_epoch(val_loss=...) after each epoch."
)
_UNRECORDED_BATCHES = f"The script trains with train_on_batch, outside of fit: that is not recorded. {HOW_TO_LOG}"
_PATIENCE = 20
"""Calls of `train_on_batch` after which a loop that logs would have logged its first batch."""


def record_fits(session: Session) -> None:
    """Have every `Model.fit` of this process recorded into the session's run, once Keras is imported."""
    session.records_all = True

    def keras_imported(keras: Any) -> None:
        attempt(session.failed, _hook_keras, keras, session, otherwise=None)

    def legacy_keras_imported(tf_keras: Any) -> None:
        attempt(session.failed, lambda: _hook(named_backend("legacy_keras"), session), otherwise=None)

    wrapt.register_post_import_hook(keras_imported, "keras")
    wrapt.register_post_import_hook(legacy_keras_imported, LEGACY_PACKAGE)


def _hook_keras(keras: Any, session: Session) -> None:
    # Only now, when the script has imported Keras by itself: nothing of ours may load it any earlier.
    from tui_monitor.training.keras2.calls import provide_keras2_calls

    _hook(named_backend("keras3"), session)
    provide_keras2_calls(keras)


def _hook(backend: Any, session: Session) -> None:
    from tui_monitor.training.hooks import hook_fits, hook_steps

    hook_fits(backend)
    hook_batches(backend.fit_owner(), session)
    # A fit tries again, and says so where that fails.
    attempt(ignored, hook_steps, backend, otherwise=None)


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
