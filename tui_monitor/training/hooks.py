"""Records every `fit` of a script that knows nothing of us: hooks that wait for Keras to be imported.

Nothing is imported, patched or written before the script itself imports Keras, and nothing is recorded before it fits.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import wrapt

from tui_monitor.training.engines import LEGACY_PACKAGE
from tui_monitor.training.session import Session, is_recording

_GRAPH_MODE = (
    "This fit runs in TensorFlow 1's graph mode and is not recorded. "
    "Remove `disable_eager_execution()` or `disable_v2_behavior()` from the script to see it here."
)


def install_hooks(session: Session) -> None:
    """Have every `Model.fit` of this process recorded into the session's run, once Keras is imported."""

    def keras_imported(keras: Any) -> None:
        from tui_monitor.training.keras2_calls import provide_keras2_calls
        from tui_monitor.training.recorded_fit import recorded_fit

        _wrap_fit(keras.Model, session, recorded_fit)
        provide_keras2_calls(keras)

    def legacy_keras_imported(tf_keras: Any) -> None:
        from tui_monitor.training.recorded_fit import recorded_fit

        _wrap_fit(tf_keras.Model, session, recorded_fit)
        hook_graph_mode(tf_keras.src.engine.training_v1.Model, session)

    wrapt.register_post_import_hook(keras_imported, "keras")
    wrapt.register_post_import_hook(legacy_keras_imported, LEGACY_PACKAGE)


def hook_graph_mode(model_class: Any, session: Session) -> None:
    """Have every fit of legacy Keras' class for TensorFlow 1 told in the run, which can't record it."""
    _wrap_fit(model_class, session, _unrecorded_fit)


def _unrecorded_fit(
    fit: Callable[..., Any], model: Any, session: Session, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Call `fit(*args, **kwargs)` of a model in TensorFlow 1's graph mode, and say that nothing of it is recorded."""
    session.writer.event("alert", text=_GRAPH_MODE)
    return fit(*args, **kwargs)


def _wrap_fit(model_class: Any, session: Session, recorded: Callable[..., Any]) -> None:
    original = model_class.fit

    @functools.wraps(original)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        if is_recording():
            return original(self, *args, **kwargs)
        return recorded(functools.partial(original, self), self, session, args, kwargs)

    model_class.fit = fit
