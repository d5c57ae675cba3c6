"""JSON that strict parsers accept: one line of UTF-8, NaN and the infinities as strings."""

import json
import math
from collections.abc import Mapping
from typing import Any

from tui_monitor.run_log.format.layout import LARGEST_COUNT

_DEEPEST = 40
# Made once: `json.dumps` with these arguments makes one for each call, which costs a training a third of a line.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_LOOSE_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def encode(content: Mapping[str, Any]) -> bytes:
    r"""Return an object as one line of JSON, without the line's end. Never raises.

    NaN and the infinities become the strings `"NaN"`, `"Infinity"` and `"-Infinity"`; NumPy arrays and
    scalars become lists and numbers; what JSON has no type for becomes its `str`.
    """
    try:
        line = _ENCODER.encode(content)
    except (TypeError, ValueError, RecursionError):
        line = _ENCODER.encode(_plain(content, 0))
    return line.encode("utf-8", errors="replace")


def number(value: Any) -> float | None:
    """Return a recorded value as a float, undoing the strings for NaN and infinity; None for anything else."""
    if isinstance(value, str):
        return _LOOSE_FLOATS.get(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def whole(value: Any) -> int | None:
    """Return a recorded whole number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) <= LARGEST_COUNT else None


def text(value: Any) -> str:
    """Return a recorded text: anything by its `str`, nothing for None."""
    return "" if value is None else str(value)


def restore_numbers(content: Any) -> Any:
    """Return recorded JSON with every string for NaN or infinity turned back into the float.

    Entries named `labels` and `text` stay as they are: they hold words of the user's.
    """
    if isinstance(content, str):
        return _LOOSE_FLOATS.get(content, content)
    if isinstance(content, dict):
        return {key: value if key in ("labels", "text") else restore_numbers(value) for key, value in content.items()}
    if isinstance(content, list):
        return [restore_numbers(value) for value in content]
    return content


def with_nulls(content: Any) -> Any:
    """Return JSON for other programs, whose parsers know no NaN and no infinity: null stands in their place."""
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: with_nulls(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [with_nulls(value) for value in content]
    return content


def _plain(value: Any, depth: int) -> Any:
    if type(value) in (bool, int, str):
        return value
    import numpy as np  # noqa: PLC0415 - a list of runs is printed without it

    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float):
        return _plain_float(float(value))
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return {_text(key): _plain(entry, depth + 1) for key, entry in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [_plain(entry, depth + 1) for entry in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    return int(value) if isinstance(value, int) else _text(value)


def _plain_float(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # a user's own class may fail in any way
        return f"<{type(value).__name__}>"
