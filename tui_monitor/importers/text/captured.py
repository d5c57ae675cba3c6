"""Progress text that a notebook or a service keeps inside JSON: Jupyter, Kaggle, Docker; becomes the text again."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_KEYS = ("data", "log", "message", "text")
"""Where a service's record keeps what was printed: Kaggle's `data`, Docker's `log`."""


def captured_text(content: str) -> str:
    """Return what was printed, or nothing where a text is no notebook and no service's log."""
    start = content.lstrip()[:1]
    if start not in ("{", "["):
        return ""
    try:
        parsed: Any = json.loads(content)
    except (ValueError, RecursionError):
        return "".join(_of_records(_objects(content)))
    if isinstance(parsed, Mapping) and isinstance(parsed.get("cells"), list):
        return "".join(_of_notebook(parsed["cells"]))
    return "".join(_of_records(parsed)) if isinstance(parsed, list) else ""


def _objects(content: str) -> list[Any]:
    rows = []
    for line in content.splitlines():
        try:
            rows.append(json.loads(line.strip().strip(",[]")))
        except (ValueError, RecursionError):
            continue
    return rows


def _of_records(rows: list[Any]) -> Iterator[str]:
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        text = next((row[key] for key in _KEYS if isinstance(row.get(key), str)), "")
        yield text


def _of_notebook(cells: list[Any]) -> Iterator[str]:
    for cell in cells:
        outputs = cell.get("outputs") if isinstance(cell, Mapping) else None
        for output in outputs if isinstance(outputs, list) else ():
            text = output.get("text") if isinstance(output, Mapping) else None
            if isinstance(text, str):
                yield text
            elif isinstance(text, list):
                yield "".join(part for part in text if isinstance(part, str))
        yield "\n"
