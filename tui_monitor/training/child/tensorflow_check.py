"""Whether TensorFlow can be imported, said in a sentence where it can't."""

import os

from tui_monitor.errors import DependencyMissing


def require_tensorflow() -> None:
    """Import TensorFlow, with its start-up chatter turned down unless the user turned it up.

    Raises:
        DependencyMissing: it is not installed, or a part of it is missing.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow  # noqa: F401
    except ModuleNotFoundError as error:
        raise DependencyMissing(
            f"Training needs TensorFlow, which this Python can't import ({error.name} is missing). "
            "Install it with: pip install 'tui-monitor[tensorflow]'"
        ) from error
