"""Requests arrive once, in order, and garbage never reaches the training."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.errors import FolderNotWritable, RunNotFound
from tui_monitor.run_log.format.layout import CONTROL_FOLDER
from tui_monitor.run_log.runs.control import Action, RequestInbox, receive_rejected, receive_requests, send_request


def test_requests_come_once_and_in_order(tmp_path: Path) -> None:
    """What was sent first is received first, and never again."""
    sent = [
        send_request(tmp_path, "pause", sender="ann@desk"),
        send_request(tmp_path, Action.LEARNING_RATE, 1e-4),
        send_request(tmp_path, Action.NOTE, "é\nlonger"),
    ]
    assert receive_requests(tmp_path) == sent
    assert receive_requests(tmp_path) == []
    assert list((tmp_path / CONTROL_FOLDER).iterdir()) == []


def test_a_request_in_the_same_tick_is_not_missed(tmp_path: Path) -> None:
    """A folder's time of change is coarse: requests within one tick of a call all arrive."""
    inbox = RequestInbox(tmp_path)
    for number in range(300):
        sent = send_request(tmp_path, Action.NOTE, str(number))
        assert inbox.receive() == [sent]
        assert inbox.receive() == []


def test_receiving_when_nothing_waits_reads_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the folder has been still for seconds, a call is one `stat`, until the folder changes."""
    times = iter([0.0, 1.0, 5.0, 6.0, 7.0])
    send_request(tmp_path, Action.PAUSE)
    inbox = RequestInbox(tmp_path, clock=lambda: next(times))
    for _ in range(3):
        inbox.receive()
    with monkeypatch.context() as patch:
        patch.delattr(os, "listdir")
        assert inbox.receive() == []
    sent = send_request(tmp_path, Action.RESUME)
    assert inbox.receive() == [sent]


@pytest.mark.parametrize(
    ("action", "value"),
    [
        (Action.LEARNING_RATE, None),
        (Action.LEARNING_RATE, 0.0),
        (Action.LEARNING_RATE, float("nan")),
        (Action.LEARNING_RATE, "fast"),
        (Action.NOTE, 3.0),
        (Action.PAUSE, 1.0),
        ("explode", None),
    ],
)
def test_what_makes_no_sense_is_not_sent(tmp_path: Path, action: Any, value: Any) -> None:
    """A value that does not fit its action is refused at the sender."""
    with pytest.raises(ValueError, match=r".+"):
        send_request(tmp_path, action, value)
    assert not list(tmp_path.glob("control/*"))


def test_a_run_that_is_gone_takes_no_request(tmp_path: Path) -> None:
    """A request to a vanished or read-only run says so."""
    with pytest.raises(RunNotFound, match="is gone"):
        send_request(tmp_path / "gone", Action.PAUSE)
    (tmp_path / CONTROL_FOLDER).write_text("a file")
    with pytest.raises((RunNotFound, FolderNotWritable)):
        send_request(tmp_path, Action.PAUSE)


GARBAGE = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"",
            b"[]",
            b'{"action": "explode"}',
            b'{"action": "learning_rate", "value": "NaN"}',
            b'{"action": "learning_rate", "value": -1}',
            b'{"action": "note", "value": {}}',
            b"[" * 50_000,
            b"x" * 70_000,
        ]
    ),
)


@given(content=GARBAGE)
def test_garbage_is_set_aside_and_reported(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """A file that is no request is renamed to `.bad` and named once; the next request still arrives."""
    folder = tmp_path_factory.mktemp("run")
    (folder / CONTROL_FOLDER).mkdir()
    (folder / CONTROL_FOLDER / "0.json").write_bytes(content)
    sent = send_request(folder, Action.PAUSE)
    assert receive_requests(folder) == [sent]
    assert receive_rejected(folder) == ["0.json"]
    assert receive_rejected(folder) == []
    assert receive_requests(folder) == []
    assert (folder / CONTROL_FOLDER / "0.json.bad").exists()


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    """Links, pipes and folders can't make the training read or wait for something else."""
    control = tmp_path / CONTROL_FOLDER
    control.mkdir()
    (tmp_path / "secret").write_text(json.dumps({"action": "kill"}))
    (control / "1.json").symlink_to(tmp_path / "secret")
    os.mkfifo(control / "2.json")
    (control / "3.json").mkdir()
    assert receive_requests(tmp_path) == []
    assert receive_rejected(tmp_path) == ["1.json", "2.json", "3.json"]


def test_files_of_another_user_are_refused(tmp_path: Path) -> None:
    """Whoever may write to the folder can't control the training unless it is theirs."""
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    send_request(tmp_path, Action.KILL)
    (path,) = (tmp_path / CONTROL_FOLDER).iterdir()
    os.chown(path, 12345, 12345)
    assert receive_requests(tmp_path) == []
    assert receive_rejected(tmp_path) == [path.name]


def test_half_written_requests_wait(tmp_path: Path) -> None:
    """A file not yet renamed into place is none."""
    (tmp_path / CONTROL_FOLDER).mkdir()
    (tmp_path / CONTROL_FOLDER / ".1.tmp").write_text("{")
    (tmp_path / CONTROL_FOLDER / ".2.json").write_text("{")
    assert receive_requests(tmp_path) == []
    assert receive_rejected(tmp_path) == []


def test_requests_of_many_senders_all_arrive(tmp_path: Path) -> None:
    """Several screens at once: each request arrives exactly once."""

    def send(thread: int) -> None:
        for number in range(50):
            send_request(tmp_path, Action.NOTE, f"{thread}:{number}")

    threads = [threading.Thread(target=send, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    inbox, received = RequestInbox(tmp_path), []
    while any(thread.is_alive() for thread in threads):
        received += inbox.receive()
    received += inbox.receive()
    values = [str(request.value) for request in received]
    assert sorted(values) == sorted(f"{thread}:{number}" for thread in range(4) for number in range(50))
