"""What a loop logs, as numbers: Python's own, NumPy's, and tensors of any framework that hold one number."""

from collections.abc import Mapping
from typing import Any

from tui_monitor.training.guard import raise_what_is_the_users


def named_numbers(logged: Mapping[Any, Any]) -> tuple[dict[str, float], list[str]]:
    """Return what is a number of what was logged, and the names of what is none; None is left out of both.

    Args:
        logged: metric names to numbers, or to arrays or tensors of one number.
    """
    numbers: dict[str, float] = {}
    refused: list[str] = []
    for name, value in logged.items():
        if value is None:
            continue
        number = one_number(value)
        if number is None:
            refused.append(str(name))
        else:
            numbers[str(name)] = number
    return numbers, refused


def one_number(value: Any) -> float | None:
    """Return a number, or the only one of an array or tensor, as a float; None where it is none.

    NaN and the infinities are numbers. A tensor on a device is waited for; one inside a traced function has no value.
    """
    if isinstance(value, str | bytes):
        return None
    try:
        item = value.item() if hasattr(value, "item") else value
        return float(item.numpy().item()) if hasattr(item, "numpy") else float(item)
    except Exception as error:  # frameworks raise what they like, and training must go on
        raise_what_is_the_users(error)
        return None


def whole_number(value: Any) -> int | None:
    """Return a whole number that is not negative, else None."""
    number = None if value is None else one_number(value)
    return int(number) if number is not None and number >= 0 and number == number // 1 else None
