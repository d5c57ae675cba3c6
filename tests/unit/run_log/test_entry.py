"""A run's entry in a table: a fold over its events that can be taken up where it ended."""

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.run_log.many_runs import make_runs
from tui_monitor.metric_names import is_better
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded, StatusChanged
from tui_monitor.run_log.format.canonical_metrics import canonical_values
from tui_monitor.run_log.format.layout import EVENTS_FILE, RUN_FILE, RunInfo, State
from tui_monitor.run_log.format.strict_json import whole
from tui_monitor.run_log.runs.arguments import arguments_of, script_of
from tui_monitor.run_log.runs.entry import TRACE_POINTS, Best, RunEntry, Stamp, Trace
from tui_monitor.run_log.runs.entry_events import changes
from tui_monitor.run_log.runs.liveness import LOST_DETAIL
from tui_monitor.run_log.runs.read_entry import read_entry, with_state
from tui_monitor.run_log.runs.tags import TAGS_FILE, read_tags, tags_of, write_tags
from tui_monitor.run_log.write.writer import RunWriter

COMMANDS = [
    (("tui-monitor", "run", "train.py"), "train.py", {}),
    (("tui-monitor", "run", "a/train.py", "--lr", "0.1", "-v"), "train.py", {"lr": "0.1", "v": "yes"}),
    (("tui-monitor", "run", "--name", "x", "--headless", "train.py", "--lr=0.1"), "train.py", {"lr": "0.1"}),
    (("tui-monitor", "run", "--runs=r", "-m", "pack.train", "lr=0.1"), "pack.train", {"lr": "0.1"}),
    (("tui-monitor", "run", "train.py", "data", "--shift", "-2"), "train.py", {"argument 1": "data", "shift": "-2"}),
    (("tui-monitor", "run", "train.py", "--flag", "--name", "mine"), "train.py", {"flag": "yes", "name": "mine"}),
    (
        ("tui-monitor", "demo", "dropout", "--runs", "r", "--seed", "2"),
        "demo",
        {"scenario": "dropout", "seed": "2"},
    ),
    (("/bin/tui-monitor", "demo", "--headless"), "demo", {}),
    (("train.py", "--lr", "0.1"), "train.py", {"lr": "0.1"}),
    ((), "", {}),
]


@pytest.mark.parametrize(("command", "script", "arguments"), COMMANDS)
def test_arguments_of_a_command_line(command: tuple[str, ...], script: str, arguments: dict[str, str]) -> None:
    """A script and its own arguments are found behind whatever options of ours stand before them."""
    info = RunInfo(name="run", command=command)
    assert (script_of(command), arguments_of(info)) == (script, arguments)


@given(st.lists(st.sampled_from(["-m", "--", "--lr", "run", "demo", "tui-monitor", "x=1", "-3", "", "--name"])))
def test_any_command_line_is_read(words: list[str]) -> None:
    """No command line fails: a run with a strange one is a row like any other."""
    arguments_of(RunInfo(name="run", command=tuple(words)))


def test_arguments_of_fit_and_model_stand_beside_the_scripts(tmp_path: Path) -> None:
    """An argument of `fit` that has another value than the script's of that name is told apart; an equal one isn't."""
    info = RunInfo(name="run", command=("train.py", "--epochs", "5", "--batch_size", "32"))
    writer = RunWriter(tmp_path / "run", info, heartbeat_seconds=None)
    writer.begin_fit(["loss"], fit={"epochs": 5.0, "batch_size": 64}, model={"optimizer": "Adam", "layers": []})
    assert arguments_of(writer.info) == {
        "epochs": "5",
        "batch_size": "32",
        "fit(batch_size)": "64",
        "optimizer": "Adam",
    }
    writer.close()


def started(folder: Path) -> RunWriter:
    """Begin a run with one fit."""
    writer = RunWriter(folder, RunInfo(name=folder.name, command=("train.py",)), heartbeat_seconds=None)
    writer.begin_fit(["loss"], epochs=9)
    writer.status(State.TRAINING)
    return writer


EPOCHS = st.lists(
    st.fixed_dictionaries({}, optional={"loss": st.floats(), "val_loss": st.floats(), "val_acc": st.floats()}),
    max_size=6,
)


@given(st.lists(EPOCHS, min_size=1, max_size=3), st.booleans())
def test_reading_on_gives_what_reading_anew_gives(fits: list[list[dict[str, float]]], torn: bool) -> None:
    """An entry that is taken up after every event ends as the one that is read at once, whatever the values."""
    import tempfile

    with tempfile.TemporaryDirectory() as where:
        folder = Path(where) / "run"
        writer, entry = started(folder), None
        for index, epochs in enumerate(fits):
            if index:
                writer.begin_fit(["loss"], epochs=9)
            for number, logs in enumerate(epochs, 1):
                writer.event(EpochBegan(epoch=number))
                entry = read_entry(folder, before=entry)
                writer.event(EpochEnded(epoch=number, logs=logs))
                entry = read_entry(folder, before=entry)
        writer.close()
        if torn:
            with (folder / EVENTS_FILE).open("ab") as file:
                file.write(b'{"kind": "epoch", "epoch": 77, "lo')
        whole, entry = read_entry(folder), read_entry(folder, before=entry)
        assert str(replace(entry, stamp=Stamp())) == str(replace(whole, stamp=Stamp()))
        assert whole.epoch != 77


VALUES = st.one_of(st.floats(), st.integers(), st.sampled_from(["NaN", "-Infinity", "x", None, True, [1, 2], 10**400]))
LINES = st.fixed_dictionaries(
    {"kind": st.sampled_from(["epoch", "epoch", "epoch_begin", "status", "explanation", "unknown", 7])},
    optional={
        "time": VALUES,
        "phase": st.sampled_from([1, 2, None, "2", 0]),
        "epoch": st.sampled_from([1, 2, 3, 2**60, "4", 1.5, None]),
        "logs": st.one_of(
            st.dictionaries(st.sampled_from(["loss", "acc", "val_loss", "accuracy", "lr"]), VALUES, max_size=4),
            st.sampled_from([None, [], "logs"]),
        ),
        "state": st.sampled_from(["training", "finished", "dancing", None]),
        "exit_code": VALUES,
        "detail": st.sampled_from(["", "said", None]),
    },
)
SPELLINGS = (
    lambda line: json.dumps(line, separators=(",", ":")),
    json.dumps,
    lambda line: json.dumps(dict(reversed(line.items()))),
    lambda line: " " + json.dumps(line),
    lambda line: json.dumps(line)[:-1],
    lambda line: json.dumps([line]),
)


def by_every_event(lines: Sequence[str]) -> dict[str, Any]:
    """Return what an entry says of lines, each parsed whole and taken alone."""
    said: dict[str, Any] = {"fit": 0, "epoch": 0, "last_word": State.STARTING, "detail": "", "values": {}, "best": {}}
    for line in lines:
        try:
            content = json.loads(line)
        except ValueError:
            continue
        kind = content.get("kind") if isinstance(content, dict) else None
        if kind == "status" and (status := StatusChanged.read(content)) is not None:
            said |= {"last_word": status.state, "detail": status.detail}
        elif kind == "epoch_begin" and (begun := EpochBegan.read(content)) is not None:
            said["epoch"] = begun.epoch
        elif kind == "epoch" and (ended := EpochEnded.read(content)) is not None:
            fit = whole(content.get("phase")) or said["fit"]
            best = dict(said["best"]) if fit == said["fit"] else {}
            values = dict(canonical_values(ended.logs))
            for name, value in values.items():
                if math.isfinite(value) and (name not in best or is_better(name, value, best[name].value)):
                    best[name] = Best(value, ended.epoch)
            said |= {"fit": fit, "epoch": ended.epoch, "values": values, "best": best}
    return said


@given(st.lists(st.tuples(LINES, st.sampled_from(SPELLINGS)), max_size=12))
def test_an_entry_says_what_its_events_say_one_by_one(lines: list[tuple[dict[str, Any], Callable[..., str]]]) -> None:
    """However lines are spelt, ordered or damaged, no short way of reading them gives another entry."""
    spelt = [spell(line) for line, spell in lines]
    content = "".join(line + "\n" for line in spelt).encode()
    said = by_every_event(spelt)
    found = changes(RunEntry("run"), content)
    entry = replace(RunEntry("run"), **found)
    assert str({name: getattr(entry, name) for name in said}) == str(said)


def test_a_run_is_read_in_few_calls(tmp_path: Path) -> None:
    """What thousands of runs take at the first look does not creep up: calls of Python and C for one of 12 epochs."""
    make_runs(tmp_path, 2)
    read_entry(tmp_path / "run-00000")
    calls: Counter[str] = Counter()
    sys.setprofile(lambda frame, event, argument: calls.update([event]))
    try:
        read_entry(tmp_path / "run-00001")
    finally:
        sys.setprofile(None)
    assert 100 < calls["call"] + calls["c_call"] < 500


def test_the_best_is_of_the_newest_fit_and_in_its_metrics_direction(tmp_path: Path) -> None:
    """A loss is best when lowest, an accuracy when highest; values that are not finite never are."""
    writer = started(tmp_path / "run")
    writer.event(EpochEnded(epoch=1, logs={"val_loss": 0.01, "val_acc": 0.99}))
    writer.begin_fit(["loss"], epochs=4)
    for epoch, (loss, accuracy) in enumerate([(0.5, 0.7), (0.4, 0.9), (math.nan, 0.8), (-math.inf, math.inf)], 1):
        writer.event(EpochEnded(epoch=epoch, logs={"val_loss": loss, "val_acc": accuracy}))
    entry = read_entry(tmp_path / "run")
    assert entry.best == {"val_loss": Best(0.4, 2), "val_accuracy": Best(0.9, 2)}
    assert (entry.fit, entry.fits, entry.epoch, entry.epochs) == (2, 2, 4, 4)
    assert entry.trace.values[:2] == (0.5, 0.4)
    writer.close()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300))
def test_a_trace_keeps_every_stride_th_value(values: list[float]) -> None:
    """A long curve is kept in few values, evenly spaced from the first."""
    trace = Trace()
    for value in values:
        trace = trace.added("val_loss", [value])
    assert len(trace.values) <= TRACE_POINTS
    assert list(trace.values) == values[:: trace.stride]


def test_a_damaged_run_is_an_entry_that_says_so(tmp_path: Path) -> None:
    """A damaged `run.json` costs no other run its row."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / RUN_FILE).write_text("{")
    entry = read_entry(tmp_path / "run")
    assert "is damaged" in entry.problem
    assert with_state(tmp_path / "run", entry).state is State.FAILED


def test_a_run_whose_process_is_gone_is_lost(tmp_path: Path) -> None:
    """A run that never said how it ended is lost once its process is seen to be gone."""
    info = RunInfo(name="run", host="elsewhere", pid=1, created=1.0)
    writer = RunWriter(tmp_path / "run", info, heartbeat_seconds=None)
    writer.status(State.TRAINING)
    entry = with_state(tmp_path / "run", read_entry(tmp_path / "run"), now=4e9)
    assert (entry.state, entry.detail, entry.is_live) == (State.LOST, LOST_DETAIL, False)
    assert entry.last_word is State.TRAINING
    writer.close()


def test_tags_are_kept_beside_the_run(tmp_path: Path) -> None:
    """Tags are words, each once; a damaged file holds none, and an entry that was read sees new ones."""
    writer = started(tmp_path / "run")
    entry = read_entry(tmp_path / "run")
    write_tags(tmp_path / "run", tags_of("base, good base"))
    assert read_entry(tmp_path / "run", before=entry).tags == read_tags(tmp_path / "run") == ("base", "good")
    for damage in ("{", "[]", '{"tags": 3}', '{"tags": [1, "ok"]}'):
        (tmp_path / "run" / TAGS_FILE).write_text(damage)
        assert read_tags(tmp_path / "run") in ((), ("ok",))
    writer.close()
