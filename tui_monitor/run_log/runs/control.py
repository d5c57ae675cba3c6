"""Control requests to a running training: files renamed into place by the screen, each received exactly once."""

import itertools
import json
import math
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from tui_monitor.errors import FolderNotWritable, RunNotFound
from tui_monitor.run_log.format.layout import CONTROL_FOLDER
from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.format.strict_json import encode, number
from tui_monitor.run_log.runs.folders import absolute

_SUFFIX = ".json"
_LARGEST_BYTES = 2**16
_LONGEST_TEXT = 2000
_SETTLED_SECONDS = 3.0
_counter = itertools.count()


class Action(StrEnum):
    """What a control request can be for."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP_BATCH = "stop_batch"
    STOP_EPOCH = "stop_epoch"
    KILL = "kill"
    LEARNING_RATE = "learning_rate"
    MEASURE = "measure"
    NOTE = "note"


@dataclass(frozen=True)
class ControlRequest:
    """One control request to a training."""

    id: str
    """Unique; sorts by the time of sending."""
    action: Action
    value: float | str | None = None
    """The new rate for `LEARNING_RATE`, the text for `NOTE`, else None."""
    sender: str = ""
    """Who sent it, as far as the sender says."""


def send_request(
    folder: Path, action: Action | str, value: float | str | None = None, sender: str = ""
) -> ControlRequest:
    """Send a control request to a running training, which applies it at the end of its next batch.

    Raises:
        ValueError: the value does not fit the action.
        RunNotFound: the run folder is gone.
        FolderNotWritable: the folder can't be written to.
    """
    request = ControlRequest(
        id=f"{time.time_ns():020d}-{os.getpid()}-{next(_counter)}",
        action=Action(action),
        value=_checked_value(Action(action), value),
        sender=sender[:_LONGEST_TEXT],
    )
    content = {"id": request.id, "action": request.action, "value": request.value, "sender": request.sender}
    control = folder / CONTROL_FOLDER
    try:
        control.mkdir(mode=0o700, exist_ok=True)
        replace_file(control / f"{request.id}{_SUFFIX}", encode(content) + b"\n")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RunNotFound(f"The run folder {folder} is gone: no request was sent.") from error
    except OSError as error:
        raise FolderNotWritable(f"Can't write a request to {control}: {error.strerror}.") from error
    return request


def receive_requests(folder: Path) -> list[ControlRequest]:
    """Return the requests that wait in a run folder, in order of time, and remove them from it.

    Cheap enough for every batch: one `stat` when nothing waits.
    """
    return _inbox(folder).receive()


def receive_rejected(folder: Path) -> list[str]:
    """Return the names of files that `receive_requests` set aside as `.bad` since the last call."""
    return _inbox(folder).receive_rejected()


class RequestInbox:
    """The training's end. Never raises; a call when nothing waits costs one `stat`."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._control = str(absolute(folder) / CONTROL_FOLDER)
        self._clock = clock
        self._changed = -1
        self._changed_seen = 0.0
        self._listed = 0.0
        self._received: set[str] = set()
        self._rejected: list[str] = []

    def receive(self) -> list[ControlRequest]:
        """Return the requests that came in since the last call, in order of time."""
        try:
            found = os.stat(self._control)  # noqa: PTH116 - a Path would double the cost of this hot call
        except OSError:
            return []
        now = self._clock()
        if found.st_mtime_ns != self._changed:
            self._changed, self._changed_seen = found.st_mtime_ns, now
        elif self._listed - self._changed_seen > _SETTLED_SECONDS:
            # Listed again long after the folder's last change: its coarse clock can't hide a newer one.
            return []
        self._listed = now
        try:
            names = sorted(name for name in os.listdir(self._control) if _is_request(name))  # noqa: PTH208
        except OSError:
            return []
        requests = [self._receive_one(name, found.st_uid) for name in names]
        return [request for request in requests if request is not None]

    def receive_rejected(self) -> list[str]:
        """Return the names of files that were set aside as `.bad` since the last call."""
        rejected, self._rejected = self._rejected, []
        return rejected

    def _receive_one(self, name: str, owner: int) -> ControlRequest | None:
        if name in self._received:
            return None
        path = Path(self._control) / name
        try:
            content = _read_owned(path, owner)
            request = _parse(content)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            self._set_aside(path)
            return None
        try:
            path.unlink()
        except FileNotFoundError:
            # Somebody else took it between our reading and now.
            return None
        except OSError:
            self._received.add(name)
        return request

    def _set_aside(self, path: Path) -> None:
        self._rejected.append(path.name)
        try:
            path.rename(path.with_name(path.name + ".bad"))
        except OSError:
            self._received.add(path.name)


# Kept between calls, so that the next call can tell from one `stat` that nothing came.
_inbox = lru_cache(maxsize=16)(RequestInbox)


def _is_request(name: str) -> bool:
    return name.endswith(_SUFFIX) and not name.startswith(".")


def _read_owned(path: Path, owner: int) -> bytes:
    """Return a request's bytes.

    Raises:
        ValueError: it is no plain file, too large, or of another owner than the folder.
        OSError: it can't be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != owner or found.st_size > _LARGEST_BYTES:
            raise ValueError("not a request of the run's owner")
        return file.read(_LARGEST_BYTES)


def _parse(content: bytes) -> ControlRequest:
    parsed: Any = json.loads(content)
    if not isinstance(parsed, dict):
        raise ValueError("a request is a JSON object")  # noqa: TRY004 - one error for all garbage
    action = Action(str(parsed.get("action")))
    return ControlRequest(
        id=str(parsed.get("id", ""))[:_LONGEST_TEXT],
        action=action,
        value=_checked_value(action, parsed.get("value")),
        sender=str(parsed.get("sender", ""))[:_LONGEST_TEXT],
    )


def _checked_value(action: Action, value: Any) -> float | str | None:
    if action is Action.LEARNING_RATE:
        rate = None if isinstance(value, str) else number(value)
        if rate is None or not math.isfinite(rate) or rate <= 0:
            raise ValueError(f"a learning rate is a positive number, not {value!r}")
        return rate
    if action is Action.NOTE:
        if not isinstance(value, str):
            raise ValueError("a note is a text")
        return value[:_LONGEST_TEXT]
    if value is not None:
        raise ValueError(f"{action} takes no value")
    return None
