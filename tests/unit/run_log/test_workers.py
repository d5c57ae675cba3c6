"""Workers that start in any order find one folder, and what each records there is read as one run."""

import json
import os
import signal
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from tui_monitor.history.load import load
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import RunInfo, State, WorkerInfo
from tui_monitor.run_log.read.cluster_reader import PATIENCE_SECONDS, ClusterReader
from tui_monitor.run_log.read.reader import Arrival
from tui_monitor.run_log.runs.summary import summarise
from tui_monitor.run_log.runs.workers import Place, claim_place, run_of, worker_from_environment
from tui_monitor.run_log.write.writer import RunWriter


def environment(kind: str, index: int, **cluster: list[str]) -> dict[str, str]:
    """Return the environment of one task of a cluster."""
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


def worker(rank: int, workers: int = 2, cluster: str = "a") -> WorkerInfo:
    """Return one of several workers."""
    return WorkerInfo(rank, workers, cluster)


def writer_of(place: Place) -> RunWriter:
    """Return a writer at a worker's place, with a fit of two values begun."""
    writer = RunWriter(place.folder, RunInfo(name=place.run.name, worker=place.worker), heartbeat_seconds=None)
    writer.begin_fit(["loss", "accuracy"])
    return writer


def places(runs: Path, workers: int = 2) -> list[Place]:
    """Return every worker's place in a new run."""
    return [claim_place(runs, "r", "script", worker(rank, workers)) for rank in range(workers)]


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the present."""
        return self.now


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"TF_CONFIG": "no JSON"}, None),
        ({"TF_CONFIG": "[]"}, None),
        (environment("worker", 0, worker=["a:1"]), None),
        (environment("evaluator", 0, worker=["a:1", "b:1"]), None),
        (environment("worker", 0, worker=["a:1"], ps=["b:1"]), None),
        (environment("worker", 7, worker=["a:1", "b:1"]), None),
        (environment("worker", 1, worker=["a:1", "b:1"]), (1, 2)),
        (environment("chief", 0, chief=["c:1"], worker=["a:1", "b:1"]), (0, 3)),
        (environment("worker", 0, chief=["c:1"], worker=["a:1", "b:1"]), (1, 3)),
    ],
)
def test_the_rank_is_read_from_tf_config(given: dict[str, str], expected: tuple[int, int] | None) -> None:
    """Chief and workers count on from 0; a process alone, another role and garbage have no rank."""
    found = worker_from_environment(given)
    assert (found and (found.rank, found.workers)) == expected


def test_a_cluster_is_told_from_others(tmp_path: Path) -> None:
    """Its workers agree on what it is called; other addresses, or another job of Slurm, are another cluster."""
    one, other = (worker_from_environment(environment("worker", rank, worker=["a:1", "b:1"])) for rank in (0, 1))
    assert one is not None
    assert other is not None
    assert one.cluster == other.cluster
    moved = worker_from_environment(environment("worker", 0, worker=["a:2", "b:1"]))
    queued = worker_from_environment(environment("worker", 0, worker=["a:1", "b:1"]) | {"SLURM_JOB_ID": "7"})
    assert len({found.cluster for found in (one, moved, queued) if found}) == 3


@pytest.mark.parametrize("order", permutations(range(3)))
@pytest.mark.parametrize("name", ["r", None])
def test_any_order_of_coming_finds_one_folder(tmp_path: Path, order: tuple[int, ...], name: str | None) -> None:
    """Each worker has its own place in the same run, twice over for two starts of the cluster."""
    for _ in range(2):
        found = {rank: claim_place(tmp_path, name, "script", worker(rank, 3)) for rank in order}
        assert len({place.run for place in found.values()}) == 1
        assert found[0].folder == found[0].run
        assert {run_of(place.folder) for place in found.values()} == {found[0].run}
        assert len({place.folder for place in found.values()}) == 3
    assert len(list(tmp_path.iterdir())) == 2


def test_a_run_that_has_ended_or_is_another_cluster_s_is_not_joined(tmp_path: Path) -> None:
    """A worker begins a run of its own beside one of the same name that it can't be part of."""
    first = claim_place(tmp_path, "r", "script", worker(0))
    with writer_of(first) as writer:
        writer.status(State.FINISHED)
    assert claim_place(tmp_path, "r", "script", worker(1)).run.name == "r-2"
    assert claim_place(tmp_path, "r", "script", worker(1, cluster="b")).run.name == "r-3"


def test_parts_make_whole_batches(tmp_path: Path) -> None:
    """Values are means over all samples, sizes and an epoch's samples sums; a part without samples counts nothing."""
    chief, other = (writer_of(place) for place in places(tmp_path))
    for writer, sizes, losses in ((chief, (10, 6), (1.0, 2.0)), (other, (30, 0), (3.0, float("nan")))):
        for size, loss in zip(sizes, losses, strict=True):
            writer.batch(1, size, (loss, loss / 10))
        writer.event(EpochEnded(epoch=1, logs={}, batches=2, samples=sum(sizes)))
        writer.close()
    fit = load(tmp_path / "r").fit
    assert fit is not None
    np.testing.assert_allclose(fit.series["loss"].values(), [2.5, 2.0], rtol=1e-6)
    np.testing.assert_allclose(fit.series["accuracy"].values(), [0.25, 0.2], rtol=1e-6)
    assert [(row.batches, row.samples) for row in fit.epochs] == [(2, 46)]


def _batches(arrival: Arrival) -> list[tuple[float, int]]:
    return [(float(row["loss"]), int(row["size"])) for _, part in arrival.batches for row in part]


def test_a_part_that_is_late_is_awaited(tmp_path: Path) -> None:
    """A batch comes when its last part has; with the patience spent the chief's part alone stands, and is said to."""
    chief, other = (writer_of(place) for place in places(tmp_path))
    clock = Clock()
    reader = ClusterReader(tmp_path / "r", clock=clock)
    chief.batch(1, 10, (1.0, 0.0))
    chief.event(EpochEnded(epoch=1, logs={}, batches=1, samples=10))
    early = reader.poll()
    assert not early.batches
    assert not [recorded for recorded in early.events if isinstance(recorded.event, EpochEnded)]
    other.batch(1, 10, (3.0, 0.0))
    joined = reader.poll()
    assert _batches(joined) == [(2.0, 20)]
    assert [recorded.event.samples for recorded in joined.events if isinstance(recorded.event, EpochEnded)] == [20]
    assert joined.covered == 2
    chief.batch(2, 10, (1.0, 0.0))
    assert not reader.poll().batches
    clock.now += PATIENCE_SECONDS
    alone = reader.poll()
    assert _batches(alone) == [(1.0, 10)]
    assert alone.covered == 1
    chief.close()
    other.close()


def test_a_worker_that_lost_records_is_left_out_from_there_on(tmp_path: Path) -> None:
    """Parts of different epochs are never put together."""
    chief, other = (writer_of(place) for place in places(tmp_path))
    for epoch in (1, 2, 3):
        chief.batch(epoch, 10, (1.0, 0.0))
        if epoch != 2:
            other.batch(epoch, 10, (3.0, 0.0))
    arrival = ClusterReader(tmp_path / "r", patience=0).poll()
    assert _batches(arrival) == [(2.0, 20), (1.0, 10), (1.0, 10)]
    assert arrival.covered == 1
    chief.close()
    other.close()


def test_a_worker_elsewhere_is_not_awaited_for_long_and_one_that_comes_late_is_read_whole(tmp_path: Path) -> None:
    """Without the other's folder the chief's part is shown soon; when the folder is there, all comes again, joined."""
    chief = writer_of(claim_place(tmp_path, "r", "script", worker(0)))
    chief.batch(1, 10, (1.0, 0.0))
    clock = Clock()
    reader = ClusterReader(tmp_path / "r", clock=clock)
    assert not reader.poll().batches
    clock.now += PATIENCE_SECONDS / 10
    assert _batches(reader.poll()) == [(1.0, 10)]
    other = writer_of(claim_place(tmp_path, "r", "script", worker(1)))
    other.batch(1, 30, (3.0, 0.0))
    again = reader.poll()
    assert again.restarted
    assert _batches(again) == [(2.5, 40)]
    chief.close()
    other.close()


_KILLED = """
import os, pathlib, signal, sys
from tui_monitor.run_log.format.layout import RunInfo, State, WorkerInfo
from tui_monitor.run_log.runs.workers import claim_place
from tui_monitor.run_log.write.writer import RunWriter
place = claim_place(pathlib.Path(sys.argv[1]), "r", "script", WorkerInfo(1, 2, "a"))
import socket
writer = RunWriter(place.folder, RunInfo(name="r", host=socket.gethostname(), pid=os.getpid(), worker=place.worker))
writer.begin_fit(["loss", "accuracy"])
writer.status(State.TRAINING)
writer.batch(1, 10, (3.0, 0.0))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_worker_is_lost_and_the_run_stays_one(tmp_path: Path) -> None:
    """Of a worker that is gone without a word the run says so, beside the chief's own state; a list shows one run."""
    place = claim_place(tmp_path, "r", "script", worker(0))
    chief = RunWriter(place.folder, RunInfo(name="r", pid=os.getpid(), worker=place.worker))
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    chief.begin_fit(["loss", "accuracy"])
    chief.status(State.TRAINING)
    for _ in range(2):
        chief.batch(1, 10, (1.0, 0.0))
    snapshot = load(tmp_path / "r")
    assert [each.state for each in snapshot.workers] == [State.TRAINING, State.LOST]
    assert [each.batches for each in snapshot.workers] == [2, 1]
    assert summarise(tmp_path / "r").state is State.TRAINING
    chief.close()
