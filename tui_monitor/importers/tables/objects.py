"""Text that holds objects becomes plain Python ones: JSON, JSON lines, and what Python prints; nothing is executed."""

import ast
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SERIES = re.compile(r"""["']((?:[^"'\\]|\\.)*)["']\s*:\s*\[([^\[\]{}"']*)(\])?""")
_LARGEST_REPR = 2**25
_NAMES: Mapping[str, Any] = {
    "nan": math.nan,
    "NaN": math.nan,
    "inf": math.inf,
    "Infinity": math.inf,
    "null": None,
    "true": True,
    "false": False,
    "float32": None,
    "float64": None,
}
_SCALARS = ("float", "float16", "float32", "float64", "int", "int32", "int64")
_HOLDERS = ("array", "asarray", "list", "tuple", "dict", "defaultdict", "OrderedDict", "tensor")
_WRAPPERS = frozenset((*_SCALARS, *_HOLDERS))


@dataclass(frozen=True)
class Objects:
    """What a text holds."""

    contents: tuple[Any, ...]
    """One object, or one a line."""
    is_damaged: bool = False
    """Whether it breaks off: what is whole was taken."""
    skipped_lines: int = 0
    """Lines between objects that hold none."""


def read_objects(text: str) -> Objects | None:
    """Return the objects of a text, or None where it holds none."""
    if not text.lstrip().startswith(("{", "[", '"', "'", "(")) and "{" not in text:
        return None
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        return _lines(text) or _printed(text) or _salvaged(text)
    if isinstance(content, str):
        return read_objects(content)
    return Objects((content,)) if isinstance(content, Mapping | list) else None


def python_value(text: str) -> Any:
    """Return the object that a Python expression of literals stands for, or None.

    `array([0.5], dtype=float32)`, `np.float64(0.5)` and `defaultdict(...)` stand for what they hold.
    """
    try:
        return _value(ast.parse(text.strip(), mode="eval").body)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> Any:
    value: Any
    match node:
        case ast.Constant():
            value = node.value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            value = [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            value = {str(_value(key)): _value(held) for key, held in zip(keys, values, strict=True) if key is not None}
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            value = _value(operand) if isinstance(node.op, ast.UAdd) else -_value(operand)
        case ast.Name(id=name) if name in _NAMES:
            value = _NAMES[name]
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[held, *others]) if name in _WRAPPERS:
            value = _value(others[-1] if name == "defaultdict" and others else held)
        case _:
            raise ValueError(ast.dump(node))
    return value


def _lines(text: str) -> Objects | None:
    """Return the objects of a text with one a line, as JSON or as Python prints them."""
    contents: list[Any] = []
    skipped, is_damaged, last = 0, False, ""
    for line in text.splitlines():
        stripped = line.strip().rstrip(",")
        if not stripped:
            continue
        last = stripped
        content = _object(stripped) if "{" in stripped else None
        if isinstance(content, Mapping):
            contents.append(content)
            last = ""
        else:
            skipped += 1
    if not contents:
        return None
    if last.startswith("{"):
        skipped, is_damaged = skipped - 1, True
    # Lines of one object that spans many are not objects of their own.
    return Objects(tuple(contents), is_damaged, skipped) if len(contents) >= skipped or skipped < 3 else None


def _object(line: str) -> Any:
    for part in (line, line[line.find("{") : line.rfind("}") + 1]):
        try:
            return json.loads(part)
        except (ValueError, RecursionError):
            content = python_value(part)
            if content is not None:
                return content
    return None


def _printed(text: str) -> Objects | None:
    """Return the object that Python printed, perhaps behind a name and over many lines."""
    starts = [index for index in (text.find("{"), text.find("[")) if index >= 0]
    if not starts or len(text) > _LARGEST_REPR:
        return None
    end = max(text.rfind("}"), text.rfind("]"))
    content = python_value(text[min(starts) : end + 1])
    return Objects((content,)) if isinstance(content, Mapping | list) else None


def _salvaged(text: str) -> Objects | None:
    """Return the lists of values that are whole in text that breaks off."""
    content = {found[1]: _cells(found[2], is_closed=bool(found[3])) for found in _SERIES.finditer(text)}
    held = {name: values for name, values in content.items() if values}
    return Objects((held,), is_damaged=True) if held else None


def _cells(text: str, *, is_closed: bool) -> list[float | None]:
    cells = text.split(",") if is_closed else text.split(",")[:-1]
    values: list[float | None] = []
    for cell in cells:
        try:
            values.append(float(cell))
        except ValueError:
            values.append(None)
    return values
