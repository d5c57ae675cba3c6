"""Who trains: the process, its host and the versions of what it runs."""

import os
import platform
import socket
from collections.abc import Sequence
from importlib import metadata

from tui_monitor.run_log.format import RunInfo

_PACKAGES = ("tui-monitor", "tensorflow", "keras", "tf_keras", "numpy")


def run_identity(name: str, command: Sequence[str], description: str = "") -> RunInfo:
    """Return the identity of a run that this process trains.

    Args:
        name: of the run folder.
        command: the command line that started it.
        description: what it shows, for a demo.
    """
    return RunInfo(
        name=name,
        command=tuple(command),
        host=socket.gethostname(),
        pid=os.getpid(),
        versions=_versions(),
        description=description,
    )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
