"""`run.json` on disk: always whole, because it is only ever replaced."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tui_monitor.errors import RunNotFound, RunUnreadable
from tui_monitor.run_log.format.layout import (
    RUN_FILE,
    FitInfo,
    RunInfo,
    fit_info_to_json,
    run_info_from_json,
    run_info_to_json,
)
from tui_monitor.run_log.format.read_file import read_file
from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.format.strict_json import encode

_LARGEST = 64 * 2**20


def read_run_info(folder: Path) -> RunInfo:
    """Return the identity of the run in a folder.

    Raises:
        RunNotFound: the folder holds no `run.json`.
        RunUnreadable: `run.json` is damaged, unreadable, or of a newer format.
    """
    path = f"{folder}/{RUN_FILE}"
    try:
        content = read_file(path, _LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RunNotFound(f"No run in {folder}: it holds no {RUN_FILE}.") from error
    except OSError as error:
        raise RunUnreadable(f"{path} can't be read: {error.strerror}.") from error
    return parse_run_info(content, path)


def parse_run_info(content: bytes, where: str = RUN_FILE) -> RunInfo:
    """Return the identity written in the bytes of a `run.json`.

    Raises:
        RunUnreadable: as `run_info_from_json`, or the bytes are not JSON.
    """
    if len(content) > _LARGEST:
        raise RunUnreadable(f"{where} is damaged: it is far larger than a run's identity can be.")
    try:
        parsed: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RunUnreadable(f"{where} is damaged: it is not JSON. Restore it from a copy.") from error
    return run_info_from_json(parsed, where)


def write_run_info(folder_descriptor: int, info: RunInfo) -> None:
    """Write the `run.json` of a folder that is written once, see `RunFile.write`."""
    RunFile().write(folder_descriptor, info)


class RunFile:
    """Writes the `run.json` of one run anew at each fit, whose part is encoded once: there may be thousands of them."""

    def __init__(self) -> None:
        """Begin with nothing encoded."""
        # By identity, which lasts as long as the fit itself is held: its contents can't be hashed.
        self._encoded: dict[int, tuple[FitInfo, bytes]] = {}

    def write(self, folder_descriptor: int, info: RunInfo) -> None:
        """Replace `run.json` in an open folder, so that a reader sees the old one or the new one, whole.

        Raises:
            OSError: the folder is gone, full or not writable; the old `run.json` is untouched.
        """
        run = encode(run_info_to_json(replace(info, fits=())))
        fits = b",".join(self._of_fit(fit) for fit in info.fits)
        replace_file(RUN_FILE, run.removesuffix(b"]}") + fits + b"]}\n", folder_descriptor)

    def _of_fit(self, fit: FitInfo) -> bytes:
        if id(fit) not in self._encoded:
            self._encoded[id(fit)] = fit, encode(fit_info_to_json(fit))
        return self._encoded[id(fit)][1]
