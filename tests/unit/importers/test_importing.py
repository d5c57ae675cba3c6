"""From a path to a run: recognised by content, taken up again where it grew, and never without a word on damage."""

import shutil
from pathlib import Path

import pytest

from tests.unit.importers.printed_progress import EXPECTED, QUESTION
from tests.unit.importers.reading import NOW, alerts, imported, logged_epochs
from tui_monitor.errors import UsageError
from tui_monitor.history.load import load
from tui_monitor.history.replay.recorded_output import RecordedOutput
from tui_monitor.importers.importing import import_path
from tui_monitor.run_log.format.layout import State

EPOCHS = [epoch for epoch, _ in EXPECTED]


def _numbers(folder: Path) -> list[int]:
    return [epoch for epoch, _ in logged_epochs(load(folder))]


def test_a_source_that_grows_adds_to_its_run(tmp_path: Path) -> None:
    """Cut anywhere and imported at each length, a log becomes one run, equal to that of the whole log at once."""
    source, runs = tmp_path / "train.log", tmp_path / "runs"
    folders = set()
    for length in (1, 30, 200, 201, 333, len(QUESTION) - 5, len(QUESTION), len(QUESTION)):
        source.write_text(QUESTION[:length])
        try:
            folders |= set(import_path(source, runs, NOW))
        except UsageError:
            assert length < 200
    source.rename(tmp_path / "again.log")
    (whole,) = import_path(tmp_path / "again.log", runs, NOW)
    (folder,) = folders
    for name in ("events.jsonl", "output.log"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()


def test_alerts_follow_from_a_logs_values_as_they_do_live(tmp_path: Path) -> None:
    """A log whose loss turns NaN or that overfits raises the alert at its epoch, once, however often it is read."""
    lines = ["epoch,loss,val_loss"]
    lines += [f"{epoch},{1 / (epoch + 1):.4f},{0.5 + abs(epoch - 4) / 10:.4f}" for epoch in range(12)]
    lines += ["12,nan,nan", "13,nan,nan"]
    source, runs = tmp_path / "grows.csv", tmp_path / "runs"
    for stop in (3, 8, 9, 13, 14, len(lines)):
        source.write_text("\n".join(lines[:stop]) + "\n")
        snapshot = imported(source, runs)
    raised = [(entry.alert, entry.epoch) for entry in snapshot.timeline if entry.kind == "alert"]
    assert [kind for kind, _ in raised] == ["overfitting", "not_finite"]
    assert raised[1] == ("not_finite", 13)
    source.rename(tmp_path / "whole.csv")
    again = imported(tmp_path / "whole.csv", runs)
    assert [(entry.alert, entry.epoch) for entry in again.timeline if entry.kind == "alert"] == raised


def test_nothing_new_changes_nothing(tmp_path: Path) -> None:
    """An unchanged source is not read again: its run keeps every byte."""
    source = tmp_path / "train.log"
    source.write_text(QUESTION)
    (folder,) = import_path(source, tmp_path / "runs", NOW)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.suffix == ".jsonl"}
    assert import_path(source, tmp_path / "runs", NOW) == [folder]
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.suffix == ".jsonl"} == before


def test_a_source_that_was_replaced_is_another_run(tmp_path: Path) -> None:
    """A rotated log begins a run of its own; the earlier run stays as it was."""
    source, runs = tmp_path / "train.log", tmp_path / "runs"
    source.write_text(QUESTION)
    (first,) = import_path(source, runs, NOW)
    source.write_text(QUESTION.replace("0.6905", "0.7777") + "x\n")
    (second,) = import_path(source, runs, NOW)
    assert first != second
    assert _numbers(first) == _numbers(second) == EPOCHS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_every_common_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    """A log in another encoding gives the same values, grown or not."""
    source, runs = tmp_path / "train.log", tmp_path / "runs"
    text = "Modèle prêt\n" + QUESTION
    source.write_bytes(text[: len(text) // 2].encode(encoding))
    (folder,) = import_path(source, runs, NOW)
    source.write_bytes(text.encode(encoding))
    assert import_path(source, runs, NOW) == [folder]
    assert _numbers(folder) == EPOCHS
    said = alerts(load(folder))
    assert bool(said) == (encoding == "latin-1")
    assert all("2 bytes outside the text's encoding, first in line 1" in text for text in said)


def test_damage_is_counted_and_named(tmp_path: Path) -> None:
    """NULs, stray bytes and a character cut in the middle are left out with a word, and nothing else is lost."""
    source = tmp_path / "train.log"
    source.write_bytes(b"\0\0\0\xff\n" + QUESTION.encode() + "━".encode()[:2])
    snapshot = imported(source, tmp_path / "runs")
    assert [epoch for epoch, _ in logged_epochs(snapshot)] == EPOCHS
    said = " ".join(alerts(snapshot))
    assert "1 byte outside the text's encoding, first in line 1" in said
    assert "3 characters that no text holds" in said
    assert "middle of a character" in said


def test_a_log_that_begins_far_into_a_file(tmp_path: Path) -> None:
    """Megabytes of other output before the first epoch, in one line or many, hide nothing."""
    source = tmp_path / "slurm-1.out"
    source.write_bytes(b"y" * 1_500_000 + b"\n" + b"loading shard\n" * 100_000 + QUESTION.encode())
    assert [epoch for epoch, _ in logged_epochs(imported(source, tmp_path / "runs"))] == EPOCHS


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"hello\nworld\n", "text that begins with 'hello'"),
        (b"\0\1\2\3" * 9, "binary data"),
        (b"\x80\x04\x95aaaa", "pickle"),
        (b'{"name": "x"}', "text that begins"),
        (b"\x1f\x8b\x08\0", "gzip"),
    ],
)
def test_what_is_unknown_is_described(tmp_path: Path, content: bytes, found: str) -> None:
    """A source that no format fits is refused with what was looked for and what was found, and leaves no run."""
    source = tmp_path / "what"
    source.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        import_path(source, tmp_path / "runs", NOW)
    assert "Looked for: Keras progress text" in str(raised.value)
    assert found in str(raised.value)
    assert not (tmp_path / "runs").exists()


def test_a_run_folder_is_not_imported_again(tmp_path: Path) -> None:
    """A run is watched, not imported: the message says how."""
    source = tmp_path / "train.log"
    source.write_text(QUESTION)
    (folder,) = import_path(source, tmp_path / "runs", NOW)
    with pytest.raises(UsageError, match="attach"):
        import_path(folder, tmp_path / "runs", NOW)


def test_the_source_is_only_read(tmp_path: Path) -> None:
    """Importing leaves the source byte for byte, with its time of change, even where it may not be written."""
    source = tmp_path / "train.log"
    source.write_text(QUESTION)
    source.chmod(0o400)
    before = (source.read_bytes(), source.stat().st_mtime_ns, sorted(path.name for path in tmp_path.iterdir()))
    import_path(source, tmp_path / "runs", NOW)
    shutil.rmtree(tmp_path / "runs")
    assert (source.read_bytes(), source.stat().st_mtime_ns, sorted(p.name for p in tmp_path.iterdir())) == before


def test_an_mlflow_store_gives_one_run_for_each_of_its_own(tmp_path: Path) -> None:
    """Plain files of a store become epochs; what MLflow says of a run's end is kept, damage is counted."""
    for name, status in (("aa", 3), ("bb", 4)):
        run = tmp_path / "mlruns" / "0" / name
        (run / "metrics" / "val").mkdir(parents=True)
        (run / "meta.yaml").write_text(f"run_id: {name}\nstatus: {status}\n")
        (run / "metrics" / "loss").write_text("1700000000000 0.5 0\n1700000001000 0.25 1\ntorn\n")
        (run / "metrics" / "val" / "loss").write_text("1700000000000 0.75 0\n1700000001000 nan 1\n")
    first, second = (load(folder) for folder in import_path(tmp_path / "mlruns", tmp_path / "runs", NOW))
    assert next(logged_epochs(first)) == (1, {"loss": 0.5, "val_loss": 0.75})
    assert (first.state, second.state) == (State.FINISHED, State.FAILED)
    assert alerts(first) == ["1 lines of metric files hold no value: left out."]
    metric = tmp_path / "mlruns" / "0" / "aa" / "metrics" / "loss"
    metric.write_text(metric.read_text() + "1700000002000 0.125 2\n")
    again = import_path(tmp_path / "mlruns", tmp_path / "runs", NOW)
    assert len(list((tmp_path / "runs").iterdir())) == 2
    assert _numbers(again[0]) == [1, 2, 3]


def test_the_text_of_a_log_is_printed_when_its_epochs_end(tmp_path: Path) -> None:
    """A replay of an imported log shows its text as far as the moment; what is added later gets its own times."""
    log = tmp_path / "train.log"
    lines = [f"Epoch {n}/3\n4/4 - {n}s - loss: 0.{n}000 - val_loss: 0.5000\n" for n in (1, 2, 3)]
    log.write_text("".join(lines[:2]))
    for text in ("".join(lines[:2]), "".join(lines)):
        log.write_text(text)
        (folder,) = import_path(log, tmp_path / "runs", NOW)
        output = RecordedOutput(folder)
        output.refresh()
        assert output.is_timed
        assert output.at(0.0) == (("Epoch 1/3",), 1)
        assert output.at(1.0)[0][-1] == "Epoch 2/3"
        assert output.all()[1] == len(text.splitlines())
    assert output.at(3.0)[0][-1] == "Epoch 3/3"
    assert output.at(6.0)[1] == 6
