"""A terminal monitor for Keras training that measures why validation and training figures differ.

`fit_generator`, `watch` and `Monitor` record a training from one's own code; they import Keras when first used.
"""

from typing import Any

__all__ = ["Monitor", "fit_generator", "watch"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tui_monitor.training import api as library  # noqa: PLC0415 - Keras takes seconds to import

    return getattr(library, name)
