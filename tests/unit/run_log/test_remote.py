"""A run in an S3 bucket is read like one in a folder, and of a growing one only what was added is read again."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tui_monitor.errors import DependencyMissing, RunNotFound
from tui_monitor.history.load import load
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import EVENTS_FILE, OUTPUT_FILE, RunInfo, State
from tui_monitor.run_log.format.ring_buffer import RING_BUFFER_SUFFIX
from tui_monitor.run_log.runs.folders import is_address
from tui_monitor.run_log.runs.remote import RemoteRun, cache_folder
from tui_monitor.run_log.write.writer import RunWriter

ADDRESS = "s3://bucket/runs/first"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """A bucket on a real S3 API server on loopback, as s3fs reaches it."""
    server_module = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        files = s3fs.S3FileSystem()
        files.mkdir("bucket")
        yield files
    server.stop()


def upload(bucket: Any, run: Path, address: str = ADDRESS) -> None:
    """Put a run folder into the bucket, over what is there."""
    for path in run.iterdir():
        if path.is_file():
            bucket.pipe_file(f"{address.removeprefix('s3://')}/{path.name}", path.read_bytes())


def write_epochs(writer: RunWriter, first: int, last: int, *, batches: int = 2000) -> None:
    """Write whole epochs."""
    for epoch in range(first, last + 1):
        for batch in range(batches):
            writer.batch(epoch, 32, (1 / (batch + 1), 0.5))
        writer.event(EpochEnded(epoch=epoch, logs={"loss": 1 / epoch, "val_loss": 0.5}, batches=batches))


def test_a_growing_run_in_a_bucket_is_followed_by_what_was_added(bucket: Any, tmp_path: Path) -> None:
    """The copy equals the run after every fetch; a fetch reads no more than what is new and a few bytes to join it."""
    run, copy = tmp_path / "run", tmp_path / "copy"
    remote = RemoteRun(ADDRESS, copy)
    with pytest.raises(RunNotFound, match=r"s3://bucket/runs/first"):
        remote.fetch()
    with RunWriter(run, RunInfo(name="first"), heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss", "accuracy"], epochs=3)
        write_epochs(writer, 1, 2)
        (run / OUTPUT_FILE).write_bytes(b"loading\n")
        upload(bucket, run)
        whole = remote.fetch()
        assert whole >= 2 * 2000 * 24
        before = {path.name: path.stat().st_size for path in run.iterdir() if path.is_file()}
        write_epochs(writer, 3, 3, batches=10)
        writer.status(State.FINISHED)
    upload(bucket, run)
    added = sum(path.stat().st_size - before.get(path.name, 0) for path in run.iterdir() if path.is_file())
    identity = (run / "run.json").stat().st_size
    assert 0 < remote.fetch() <= added + identity + 32 * len(before)
    for path in run.iterdir():
        if path.is_file():
            assert (copy / path.name).read_bytes() == path.read_bytes()
    assert remote.fetch() == 0
    mine, theirs = load(copy), load(run)
    assert mine.state is State.FINISHED
    assert mine.fit is not None
    assert theirs.fit is not None
    assert mine.fit.epochs == theirs.fit.epochs
    assert mine.fit.batches == 4010


def test_a_copy_of_before_is_continued_or_replaced(bucket: Any, tmp_path: Path) -> None:
    """A later program goes on with the copy it finds; a run written anew under the same address replaces it."""
    run, copy, address = tmp_path / "run", tmp_path / "copy", "s3://bucket/runs/second"
    with RunWriter(run, RunInfo(name="second"), heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss", "accuracy"])
        write_epochs(writer, 1, 1)
        upload(bucket, run, address)
        RemoteRun(address, copy).fetch()
        write_epochs(writer, 2, 2, batches=1)
    upload(bucket, run, address)
    assert RemoteRun(address, copy).fetch() < 4000
    assert (copy / "batches.bin").read_bytes() == (run / "batches.bin").read_bytes()
    for name in ("batches.bin", EVENTS_FILE):
        (run / name).unlink()
    with RunWriter(tmp_path / "anew", RunInfo(name="anew"), heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss", "accuracy"])
        write_epochs(writer, 1, 3, batches=3000)
    upload(bucket, tmp_path / "anew", address)
    RemoteRun(address, copy).fetch()
    for name in ("batches.bin", EVENTS_FILE, "run.json"):
        assert (copy / name).read_bytes() == (tmp_path / "anew" / name).read_bytes()


def test_what_a_killed_training_had_not_appended_is_copied(tmp_path: Path) -> None:
    """The newest records come with each fetch, though a mapped file's time doesn't tell of them."""
    pytest.importorskip("fsspec")
    run = tmp_path / "run"
    writer = RunWriter(run, RunInfo(name="run"), clock=lambda: 0.0, heartbeat_seconds=None)
    writer.begin_fit(["loss"])
    remote = RemoteRun(f"file://{run}", tmp_path / "copy")
    stamp = None
    for number in (3, 6):
        for _ in range(3):
            writer.batch(1, 1, (0.5,))
        slots = run / ("batches.bin" + RING_BUFFER_SUFFIX)
        stamp = stamp or slots.stat().st_mtime
        os.utime(slots, (stamp, stamp))
        remote.fetch()
        fit = load(remote.folder).fit
        assert fit is not None
        assert fit.batches == number
    writer.close()
    remote.fetch()
    assert not (remote.folder / slots.name).exists()
    assert (remote.folder / "batches.bin").read_bytes() == (run / "batches.bin").read_bytes()


def test_what_cannot_be_read_is_told_in_a_sentence(bucket: Any, tmp_path: Path) -> None:
    """A bucket that is not there, a kind of address nobody knows, and a package that is missing."""
    with pytest.raises(RunNotFound, match="no-such-bucket"):
        RemoteRun("s3://no-such-bucket/run", tmp_path / "copy").fetch()
    with pytest.raises(RunNotFound, match="nonsense"):
        RemoteRun("nonsense://run", tmp_path / "copy")
    try:
        import gcsfs  # noqa: F401
    except ImportError:
        with pytest.raises(DependencyMissing, match=r"tui-monitor\[remote\]"):
            RemoteRun("gs://bucket/run", tmp_path / "copy")


def test_addresses_are_told_from_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A path stays a path; two addresses never share a copy, and a name in one leads nowhere else."""
    assert is_address("s3://bucket/run")
    assert not is_address("runs/first")
    assert not is_address("C:/runs")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folders = {cache_folder(f"s3://{bucket}/run/..") for bucket in ("one", "two")}
    assert len(folders) == 2
    assert all(os.path.commonpath([folder.resolve(), tmp_path]) == str(tmp_path) for folder in folders)
