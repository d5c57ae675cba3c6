"""What an import remembers beside its run: which source it read, how far, and how to recognise it."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from tui_monitor.importers.imported_run import Checkpoint
from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.runs.folders import list_runs

SOURCE_FILE = "source.json"
_BLOCK = 2**16


@dataclass(frozen=True)
class KeptSource:
    """The content of `source.json`."""

    path: str
    """Absolute."""
    format: str
    size: int = 0
    """Bytes of the source when it was read; 0 for a folder."""
    modified: int = 0
    """Its time of change in nanoseconds."""
    taken: int = 0
    """Bytes, or records, that were read for good."""
    fingerprint: str = ""
    """Of what was read for good."""
    mark: Checkpoint = field(default_factory=Checkpoint)
    """How far the run folder holds for good: what follows is truncated when more is read."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """Where the reading of lines is taken up again."""


def find_kept(runs: Path, path: Path, kind: str) -> tuple[Path, KeptSource] | None:
    """Return the newest run that was made from a source, or None."""
    for folder in list_runs(runs):
        with suppress(OSError, ValueError, RecursionError, msgspec.ValidationError):
            content: Any = json.loads((folder / SOURCE_FILE).read_bytes())
            kept = msgspec.convert(content, KeptSource)
            if (kept.path, kept.format) == (str(path), kind):
                return folder, kept
    return None


def keep(folder: Path, kept: KeptSource) -> None:
    """Replace a run's `source.json`, whole or not at all.

    Raises:
        OSError: the folder can't be written to.
    """
    replace_file(folder / SOURCE_FILE, json.dumps(asdict(kept)).encode())


def fingerprint(file: BinaryIO, length: int) -> str:
    """Return what tells the first bytes of a file from others': their number, beginning and end."""
    digest = hashlib.blake2b(str(length).encode(), digest_size=16)
    for start in (0, max(length - _BLOCK, 0)):
        file.seek(start)
        digest.update(file.read(min(_BLOCK, length - start)))
    return digest.hexdigest()
