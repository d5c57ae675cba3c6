"""Who trains: the process, its host and the versions of what it runs."""

import os
import platform
from collections.abc import Sequence
from importlib import metadata

from tui_monitor.run_log.format.layout import RunInfo, WorkerInfo

_PACKAGES = ("tui-monitor", "tensorflow", "keras", "tf_keras", "numpy")


def run_identity(name: str, command: Sequence[str], description: str = "", worker: WorkerInfo | None = None) -> RunInfo:
    """Return the identity of a run that this process trains.

    Args:
        name: of the run folder.
        command: the command line that started it.
        description: what it shows, for a demo.
        worker: which of several this process is.
    """
    return RunInfo(
        name=name,
        command=tuple(command),
        host=platform.node(),
        pid=os.getpid(),
        versions=_versions(),
        description=description,
        worker=worker,
    )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
