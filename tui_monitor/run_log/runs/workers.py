"""A training on several workers is one run folder: rank 0 writes the folder itself, each other rank a run within it."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_monitor.errors import FolderNotWritable
from tui_monitor.run_log.format.layout import CONTROL_FOLDER, HEARTBEAT_FILE, RUN_FILE, WorkerInfo
from tui_monitor.run_log.runs.folders import RUNS_VARIABLE, printable, safe_name
from tui_monitor.run_log.runs.liveness import Liveness, file_system_time, observe_run
from tui_monitor.run_log.runs.summary import summarise

WORKERS_FOLDER = "workers"
"""Folder in a run folder with one folder for each rank, by its number. That of rank 0 only says it is taken."""
_CLUSTER_FILE = "cluster"
_RANKED = ("chief", "worker")
_JOB_VARIABLE = "SLURM_JOB_ID"


@dataclass(frozen=True)
class Place:
    """Where one worker records."""

    run: Path
    """Folder of the run, the same for all ranks: what the screen shows."""
    folder: Path
    """Folder that this rank writes: the run's own for rank 0."""
    worker: WorkerInfo


def worker_from_environment(environment: Mapping[str, str]) -> WorkerInfo | None:
    """Return this process's place among the workers that `TF_CONFIG` names.

    Args:
        environment: of the process. Under Slurm the job's number tells one start of a cluster from the next.

    Returns:
        None where there is one worker alone, or this process is no worker: an evaluator, a parameter server.
    """
    try:
        config: Any = json.loads(environment.get("TF_CONFIG") or "{}")
        cluster, task = config["cluster"], config["task"]
        addresses = [(kind, str(address)) for kind in _RANKED for address in cluster.get(kind, ())]
        before = sum(kind == "chief" for kind, _ in addresses) if task["type"] == "worker" else 0
        rank = before + int(task["index"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if task["type"] not in _RANKED or len(addresses) < 2 or "ps" in cluster or not 0 <= rank < len(addresses):
        return None
    spelled = json.dumps([addresses, environment.get(_JOB_VARIABLE, "")])
    return WorkerInfo(rank=rank, workers=len(addresses), cluster=hashlib.sha256(spelled.encode()).hexdigest()[:8])


def claim_place(runs: Path, name: str | None, stem: str, worker: WorkerInfo) -> Place:
    """Join the run of this worker's cluster, or create its folder where no other worker has yet; wait for nobody.

    Every rank finds the same folder, in whatever order they start: the first one of its name that belongs to the
    cluster, where nobody holds the rank and nothing has ended.

    Args:
        runs: the runs folder, shared by the workers.
        name: name asked for, the same on every worker, or None for one made of `stem` and the cluster.
        stem: what runs, such as the script's name.
        worker: this process's place in its cluster.

    Raises:
        FolderNotWritable: the runs folder can't be created or written to.
    """
    wanted = safe_name(name) if name else f"{safe_name(stem)}-{worker.cluster}"
    number = 1
    try:
        runs.mkdir(parents=True, exist_ok=True)
        while True:
            run = runs / (wanted if number == 1 else f"{wanted}-{number}")
            if _create(run, worker) or _is_joinable(run, worker):
                with suppress(FileExistsError):
                    folder = run / WORKERS_FOLDER / str(worker.rank)
                    folder.mkdir(mode=0o700)
                    return Place(run, folder if worker.rank else run, worker)
            number += 1
    except OSError as error:
        raise FolderNotWritable(
            f"Can't create a run in {printable(str(runs))}: {error.strerror}. "
            f"Name a folder you can write to with --runs or {RUNS_VARIABLE}."
        ) from error


def run_of(folder: Path) -> Path:
    """Return the run that a rank's folder belongs to; any other folder is its own."""
    return folder.parent.parent if folder.parent.name == WORKERS_FOLDER else folder


def named_ranks(ranks: Sequence[int]) -> str:
    """Return ranks in words: `worker 1`, or `workers 1, 2 and 3`.

    Args:
        ranks: at least one.
    """
    if len(ranks) == 1:
        return f"worker {ranks[0]}"
    return f"workers {', '.join(map(str, ranks[:-1]))} and {ranks[-1]}"


def rank_folders(run: Path) -> dict[int, Path]:
    """Return the folders of the ranks after 0 that have come, lowest first; empty for a training of one process."""
    try:
        names = os.listdir(run / WORKERS_FOLDER)  # noqa: PTH208 - names alone are looked at
    except OSError:
        return {}
    ranks = sorted(int(name) for name in names if name.isdecimal() and name != "0" and len(name) < 7)
    return {rank: run / WORKERS_FOLDER / str(rank) for rank in ranks}


@dataclass(frozen=True)
class WorkerLiveness:
    """What a check of a worker's folder tells about its process."""

    liveness: Liveness
    heartbeat_age: float | None
    """Seconds since the worker last stirred, by the file system's clock; None when it never has."""


def workers_liveness(run: Path) -> dict[int, WorkerLiveness]:
    """Look for the process of each rank that has come, by rank; empty for a training of one process."""
    folders = rank_folders(run)
    if not folders:
        return {}
    now = file_system_time(run)
    signs = {}
    for rank, folder in ({0: run} | folders).items():
        try:
            age = max(now - (folder / HEARTBEAT_FILE).stat().st_mtime, 0.0)
        except OSError:
            age = None
        signs[rank] = WorkerLiveness(observe_run(folder, now=now), age)
    return signs


def _create(run: Path, worker: WorkerInfo) -> bool:
    """Create a run folder that others can tell for their cluster's from its first moment; false where one is."""
    temporary = run.parent / f".{run.name}-{worker.rank}-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    for folder in (temporary, temporary / CONTROL_FOLDER, temporary / WORKERS_FOLDER):
        folder.mkdir(mode=0o700)
    (temporary / WORKERS_FOLDER / _CLUSTER_FILE).write_text(worker.cluster, encoding="utf-8")
    try:
        temporary.rename(run)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        if not run.exists():
            raise
        return False
    return True


def _is_joinable(run: Path, worker: WorkerInfo) -> bool:
    try:
        if (run / WORKERS_FOLDER / _CLUSTER_FILE).read_text(encoding="utf-8") != worker.cluster:
            return False
    except (OSError, ValueError):
        return False
    come = [folder for folder in (run, *rank_folders(run).values()) if (folder / RUN_FILE).is_file()]
    return not any(summarise(folder).state.ended for folder in come)
