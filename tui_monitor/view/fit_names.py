"""What a fit is called among those of its run: its number, its model's name, and what it alone has."""

from collections.abc import Mapping, Sequence
from typing import Any

from tui_monitor.history.snapshot import FitSnapshot
from tui_monitor.run_log.format.layout import FitInfo

_OF_MODEL = ("parameters", "optimizer", "learning_rate", "loss")
_OF_ARGUMENTS = (
    "batch_size",
    "epochs",
    "initial_epoch",
    "steps_per_epoch",
    "validation_split",
    "class_weight",
    "sample_weight",
    "x",
)
"""What tells fits apart, in the order in which it is said."""
_LONGEST_VALUE = 24


def fit_name(fits: Sequence[FitSnapshot], index: int) -> str:
    """Return a fit's name, such as `fit 2 of 5: encoder, learning rate 0.01`.

    Args:
        fits: all of the run.
        index: of the fit, from 1.
    """
    facts = ", ".join(_facts([fit.info for fit in fits], index))
    return f"fit {index} of {len(fits)}" + (f": {facts}" if facts else "")


def _facts(infos: Sequence[FitInfo], index: int) -> list[str]:
    """Return the model's name, and each thing that not all fits share."""
    own = infos[index - 1]
    name = own.model.get("name")
    facts = [str(name)] if name else []
    for part, keys in ((_model, _OF_MODEL), (_arguments, _OF_ARGUMENTS)):
        for key in keys:
            value = part(own).get(key)
            if value is not None and any(part(other).get(key) != value for other in infos):
                facts.append(f"{key.replace('_', ' ')} {_short(value)}")
    return facts


def _model(info: FitInfo) -> Mapping[str, Any]:
    return info.model


def _arguments(info: FitInfo) -> Mapping[str, Any]:
    return info.fit


def _short(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
