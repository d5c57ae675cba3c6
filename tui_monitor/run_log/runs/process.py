"""Which process writes a run, told apart from any later one that got the same number."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

_PROC = Path("/proc")


class ProcessState(Enum):
    """What can be known, from here, about a run's training process."""

    ALIVE = "alive"
    GONE = "gone"
    UNSURE = "unsure"
    """A process of that number is there, but nothing tells whether it is the run's."""
    ELSEWHERE = "elsewhere"
    """It runs on another machine or in another container: its number means nothing here."""


@dataclass(frozen=True)
class ProcessIdentity:
    """A process number together with what makes it unique; empty where the system does not tell."""

    pid: int
    start: str = ""
    """When it started: in the kernel's ticks since boot, or in seconds since 1970 where there is no /proc."""
    boot: str = ""
    """Identifier of the machine's boot."""
    namespace: str = ""
    """The space in which the number counts: differs between containers."""

    def to_json(self) -> dict[str, Any]:
        """Return the content of a heartbeat file."""
        return {"pid": self.pid, "start": self.start, "boot": self.boot, "namespace": self.namespace}


def identity_from_json(content: Any) -> ProcessIdentity | None:
    """Return the identity a heartbeat file holds, or None where it holds none."""
    if not isinstance(content, Mapping) or not isinstance(content.get("pid"), int):
        return None
    texts = {name: str(content.get(name, "")) for name in ("start", "boot", "namespace")}
    return ProcessIdentity(pid=content["pid"], **texts)


def identify(pid: int) -> ProcessIdentity:
    """Return the identity of the process that has a number now."""
    return ProcessIdentity(pid=pid, start=_seen(pid).start, boot=_boot(), namespace=_namespace())


def observe_process(identity: ProcessIdentity) -> ProcessState:
    """Look whether a process that ran on this machine still does."""
    if identity.namespace and identity.namespace != _namespace():
        return ProcessState.ELSEWHERE
    if identity.boot and identity.boot != _boot():
        return ProcessState.GONE
    if identity.pid <= 0:
        return ProcessState.ELSEWHERE
    if not _exists(identity.pid):
        return ProcessState.GONE
    start = _seen(identity.pid).start
    if not identity.start or not start:
        return ProcessState.UNSURE
    return ProcessState.ALIVE if start == identity.start else ProcessState.GONE


def kill_process(identity: ProcessIdentity) -> bool:
    """End a process of this machine at once, and what it started if it leads a session; return whether it was there.

    Only a process that is certainly the one meant is ended.
    """
    if observe_process(identity) is not ProcessState.ALIVE:
        return False
    return kill_process_group(identity.pid)


def kill_process_group(pid: int) -> bool:
    """End a process at once, with its whole group if it leads a session of its own; return whether it was there."""
    try:
        if os.getsid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return not _seen(pid).is_zombie


@dataclass(frozen=True)
class _Seen:
    """What the system tells of a process now."""

    start: str = ""
    is_zombie: bool = False


def _seen(pid: int) -> _Seen:
    # Linux' own ticks where there are any: a time since 1970 moves with the clock that it is worked out from.
    fields = _stat_fields(pid)
    if len(fields) > 19:
        return _Seen(fields[19], fields[0] == "Z")
    return _Seen() if _PROC.is_dir() else _seen_by_psutil(pid)


def _seen_by_psutil(pid: int) -> _Seen:
    """Return what systems without /proc tell, such as macOS, where the kernel keeps the time of the start."""
    import psutil  # noqa: PLC0415 - a list of ended runs is printed without it

    try:
        process = psutil.Process(pid)
        return _Seen(repr(process.create_time()), process.status() == psutil.STATUS_ZOMBIE)
    except (psutil.Error, OSError, OverflowError, ValueError):
        return _Seen()


def _stat_fields(pid: int) -> list[str]:
    """Return /proc/PID/stat from its third field on: the second, the name, may hold spaces and brackets."""
    return _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()


def _boot() -> str:
    return _read(_PROC / "sys/kernel/random/boot_id").strip()


def _namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
