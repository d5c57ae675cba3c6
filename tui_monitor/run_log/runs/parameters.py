"""Values that a script notes of its run, such as hyper-parameters, in a file beside `run.json`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tui_monitor.run_log.format.read_file import read_file
from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.format.strict_json import encode, text

PARAMETERS_FILE = "parameters.json"
_LARGEST = 2**20
_LONGEST = 200


def read_parameters(folder: Path | str) -> dict[str, str]:
    """Return what was noted, names and values; nothing where there is none or the file is damaged."""
    try:
        content: Any = json.loads(read_file(f"{folder}/{PARAMETERS_FILE}", _LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(name): text(value) for name, value in content.items()} if isinstance(content, dict) else {}


def write_parameters(folder: Path, parameters: Mapping[str, Any]) -> None:
    """Replace what was noted; values are kept as text of at most 200 characters.

    Raises:
        OSError: the folder is not writable.
    """
    written = {name: _written(value)[:_LONGEST] for name, value in parameters.items()}
    replace_file(folder / PARAMETERS_FILE, encode(written) + b"\n")


def _written(value: Any) -> str:
    return f"{value:.7g}" if isinstance(value, float) else str(value)
