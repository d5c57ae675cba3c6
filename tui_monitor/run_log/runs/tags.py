"""Words that a person files a run under, in a file of the run folder that no training touches."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tui_monitor.errors import FolderNotWritable
from tui_monitor.run_log.format.read_file import read_file
from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.format.strict_json import encode

TAGS_FILE = "tags.json"

_LARGEST = 2**16
_BETWEEN = re.compile(r"[\s,]+")
_LONGEST = 40


def read_tags(folder: Path | str) -> tuple[str, ...]:
    """Return a run's tags in the order they were given; none where there are none or the file is damaged."""
    try:
        content: Any = json.loads(read_file(f"{folder}/{TAGS_FILE}", _LARGEST))
    except (OSError, ValueError, RecursionError):
        return ()
    held = content.get("tags") if isinstance(content, dict) else None
    return tags_of(" ".join(tag for tag in held if isinstance(tag, str))) if isinstance(held, list) else ()


def write_tags(folder: Path, tags: Iterable[str]) -> None:
    """Replace a run's tags.

    Raises:
        FolderNotWritable: the run folder is not writable; the tags are what they were.
    """
    try:
        replace_file(folder / TAGS_FILE, encode({"tags": list(tags)}) + b"\n")
    except OSError as error:
        raise FolderNotWritable(f"Can't tag {folder.name}: {error.strerror}.") from error


def tags_of(text: str) -> tuple[str, ...]:
    """Return the tags of a text, parted by blanks or commas, each once."""
    return tuple(dict.fromkeys(word[:_LONGEST] for word in _BETWEEN.split(text) if word and word.isprintable()))
