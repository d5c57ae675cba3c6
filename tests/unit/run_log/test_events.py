"""Events to and from their lines: what is written is read again, whatever version wrote it."""

import json
import math
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.history.load import load
from tui_monitor.run_log.events.explanation import RecordedExplanation
from tui_monitor.run_log.events.lines import (
    KINDS,
    Event,
    RecordedEvent,
    UnknownEvent,
    event_line,
    parse_event_line,
    recorded_event,
)
from tui_monitor.run_log.events.notifications import (
    AlertRaised,
    CauseChanged,
    Explained,
    NoteTaken,
    RequestAcknowledged,
)
from tui_monitor.run_log.events.order import breaches
from tui_monitor.run_log.events.progress import BatchesLost, EpochBegan, EpochEnded, FitBegan, StatusChanged
from tui_monitor.run_log.events.usage import GpuUsage, ResourceUsage, StepsTimed, UsageSampled
from tui_monitor.run_log.format.layout import EVENTS_FILE, RunInfo, State
from tui_monitor.run_log.write.writer import RunWriter

OLD_LINES: tuple[tuple[str, Event], ...] = (
    ('{"kind":"phase","time":6.475391,"phase":1}', FitBegan()),
    (
        '{"kind":"status","time":0.0017,"phase":1,"state":"starting","detail":"Loading TensorFlow","exit_code":null}',
        StatusChanged(State.STARTING, "Loading TensorFlow"),
    ),
    (
        '{"kind":"status","time":9.5,"phase":1,"state":"stopped","detail":"Interrupted.","exit_code":130}',
        StatusChanged(State.STOPPED, "Interrupted.", 130),
    ),
    ('{"kind":"epoch_begin","time":6.475481,"phase":1,"epoch":1}', EpochBegan(1)),
    (
        '{"kind":"epoch","time":8.0,"phase":1,"epoch":1,"logs":{"accuracy":0.8,"loss":0.7,"val_loss":0.5},'
        '"batches":335,"samples":10708,"seconds":1.579,"learning_rate":0.001}',
        EpochEnded(1, {"accuracy": 0.8, "loss": 0.7, "val_loss": 0.5}, 335, 10708, 1.579, 0.001),
    ),
    (
        '{"kind":"epoch","time":0.0,"phase":1,"epoch":2,"logs":{"loss":"NaN"},"batches":0,"samples":0,'
        '"seconds":null,"learning_rate":"Infinity"}',
        EpochEnded(2, {"loss": "NaN"}, learning_rate=math.inf),
    ),
    ('{"kind":"lost","time":3,"phase":1,"batches":4,"reason":"disk full"}', BatchesLost(4, "disk full")),
    ('{"kind":"alert","time":3,"phase":1,"text":"Recording stopped.","epoch":2}', AlertRaised("Recording stopped.", 2)),
    ('{"kind":"alert","time":3,"phase":1,"text":"Eager only."}', AlertRaised("Eager only.")),
    (
        '{"kind":"alert","time":3,"phase":1,"alert":"plateau","epoch":12,"text":"No progress."}',
        AlertRaised("No progress.", 12, "plateau"),
    ),
    (
        '{"kind":"change","time":3,"phase":1,"epoch":1,"subject":"loss","text":"Weights are the main cause."}',
        CauseChanged(1, "loss", "Weights are the main cause."),
    ),
    (
        '{"kind":"note","time":3,"phase":1,"id":"0017-4-0","text":"hm","epoch":3,"batch":7}',
        NoteTaken("hm", 3, 7, "0017-4-0"),
    ),
    ('{"kind":"note","time":0,"phase":null,"text":"Read from a log.","epoch":null}', NoteTaken("Read from a log.")),
    (
        '{"kind":"control","time":3,"phase":1,"id":"0017-4-0","request":"pause","outcome":"done","text":"Paused.",'
        '"epoch":3,"batch":7}',
        RequestAcknowledged("done", "Paused.", "0017-4-0", "pause", 3, 7),
    ),
    (
        '{"kind":"control","time":3,"phase":1,"outcome":"refused","text":"Not a request: x","epoch":3,"batch":7}',
        RequestAcknowledged("refused", "Not a request: x", epoch=3, batch=7),
    ),
    (
        '{"kind":"explanation","time":9,"phase":1,"epoch":1,"batch":null,"explanation":{"schema":1}}',
        Explained(1, None, RecordedExplanation({"schema": 1})),
    ),
    (
        '{"kind":"system","time":6.4,"phase":null,"cpu_percent":98.1,"cores":2,"memory_bytes":750837760,'
        '"machine_cpu_percent":99.8,"machine_memory_percent":12.5,"gpus":[{"memory_bytes":5}]}',
        UsageSampled(ResourceUsage(98.1, 2, 750837760, 99.8, 12.5, (GpuUsage(memory_bytes=5),))),
    ),
    ('{"kind":"system","time":6.4,"phase":null,"failure":"ImportError: x"}', UsageSampled(None, "ImportError: x")),
    (
        '{"kind":"worker","time":6.4,"phase":1,"batches":9,"fetching":0.5,"computing":1.5,"waiting":0.25}',
        StepsTimed(9, 0.5, 1.5, 0.25),
    ),
)
"""A line of each kind as the first version wrote it, and the event that it is."""


@pytest.mark.parametrize(("line", "event"), OLD_LINES, ids=[event.kind for _, event in OLD_LINES])
def test_old_run_folders_still_open(line: str, event: Event) -> None:
    """A line that the first version wrote reads as its event; written again it says the same, key by key."""
    recorded = parse_event_line(line.encode())
    assert recorded is not None
    assert recorded.event == event
    content = json.loads(line)
    assert (recorded.seconds, recorded.fit) == (content["time"], content["phase"])
    said = {name: value for name, value in content.items() if value is not None}
    written = {name: value for name, value in json.loads(event_line(recorded)).items() if value is not None}
    defaults = {"failure": "", "gpus": []}
    assert {**defaults, **written} == {**defaults, **said}


def test_each_kind_has_an_old_line() -> None:
    """No kind is left out of the test above, so none can change its keys unseen."""
    assert {event.kind for _, event in OLD_LINES} == KINDS.keys()


TEXTS = st.text(max_size=8)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "state": st.sampled_from([state for state in State if state is not State.LOST]),
    "logs": st.dictionaries(TEXTS, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    "explanation": st.dictionaries(TEXTS, TEXTS | st.integers(0, 9), max_size=3).map(RecordedExplanation),
    "usage": st.builds(ResourceUsage, cpu_percent=st.floats(0, 1e9), cores=st.integers(1, 99)),
    "seconds": st.none() | st.floats(),
    "learning_rate": st.none() | st.floats(),
    **dict.fromkeys(("text", "reason", "detail", "id", "request", "outcome", "subject"), TEXTS),
    **dict.fromkeys(("alert", "stage", "failure"), TEXTS),
    **dict.fromkeys(("batches", "samples", "validation_samples"), st.integers(0, 2**53)),
    "epoch": st.integers(0, 2**53),
    **dict.fromkeys(("batch", "exit_code"), st.none() | st.integers(0, 2**53)),
    **dict.fromkeys(("fetching", "computing", "waiting"), st.floats(0, 1e9)),
}


@given(data=st.data())
def test_what_is_written_is_read_again(data: st.DataObject) -> None:
    """For every kind and any values: the event of its line is the event, and the line is one line."""
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    drawn = {entry.name: data.draw(VALUES[entry.name], entry.name) for entry in fields(KINDS[kind])}
    event = KINDS[kind](**drawn)
    seconds, fit = data.draw(st.integers(0, 10**9)) / 1e6, data.draw(st.none() | st.integers(1, 9))
    recorded = RecordedEvent(event, round(seconds, 6), fit)
    line = event_line(recorded)
    assert line.count(b"\n") == 1
    assert repr(parse_event_line(line)) == repr(recorded)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_field_that_makes_no_sense_costs_no_more_than_itself(kind: str) -> None:
    """With each field in turn of a wrong type, an event keeps the others; without what it needs it is unknown."""
    line, _ = next(entry for entry in OLD_LINES if entry[1].kind == kind)
    content = json.loads(line)
    required = {entry.name for entry in fields(KINDS[kind]) if entry.default is MISSING}
    needed = required & {"state", "epoch", "explanation"}
    for name in content.keys() - {"kind", "time", "phase"}:
        event = recorded_event({**content, name: object()}).event
        is_lost = name in needed and not (kind == "change" and name == "epoch")
        assert isinstance(event, UnknownEvent) == is_lost


def test_kinds_of_a_newer_version_are_counted_and_are_no_damage(tmp_path: Path) -> None:
    """A run folder of a newer version opens: what this one can't read is skipped, counted, and breaks nothing."""
    with RunWriter(tmp_path / "run", RunInfo(name="run"), heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss"])
        writer.event(UnknownEvent("weather", {"epoch": 1, "text": "rain"}))
        writer.event(UnknownEvent("status", {"state": "dreaming"}))
        writer.event(EpochEnded(epoch=1, logs={"loss": 0.5}, batches=1))
    snapshot = load(tmp_path / "run")
    assert snapshot.unknown_events == 2
    assert not snapshot.damage
    assert snapshot.timeline == ()
    assert [row.epoch for row in snapshot.fits[0].epochs] == [1]
    lines = (tmp_path / "run" / EVENTS_FILE).read_bytes().splitlines()
    assert json.loads(lines[1])["text"] == "rain"


NOTHING = RecordedExplanation({})


def at(seconds: float, event: Event, fit: int | None = 1) -> RecordedEvent:
    """Return an event with its stamp."""
    return RecordedEvent(event, seconds, fit)


LEGAL = (
    at(0, StatusChanged(State.STARTING), None),
    at(1, FitBegan()),
    at(1, EpochBegan(1)),
    at(2, StatusChanged(State.TRAINING)),
    at(3, Explained(1, 5, NOTHING)),
    at(2.5, UsageSampled(None)),
    at(4, EpochEnded(1)),
    at(5, Explained(1, None, NOTHING)),
    at(5, CauseChanged(1, "loss", "")),
    at(6, EpochBegan(2)),
    at(7, StatusChanged(State.STOPPED)),
    at(8, FitBegan(), 2),
    at(9, EpochEnded(1), 2),
)


def test_the_legal_order_has_no_breach() -> None:
    """Measured and interrupted epochs, two fits, a sampler that is late: all as a training writes them."""
    assert list(breaches(LEGAL)) == []


@pytest.mark.parametrize(
    ("index", "event", "reason"),
    [
        (1, at(1, FitBegan(), 2), "fit 2 begins after fit 0"),
        (1, at(1, EpochBegan(1)), "no fit has begun"),
        (4, at(3, EpochEnded(2)), "epoch 2 ends while epoch 1 is under way"),
        (4, at(3, Explained(2, 5, NOTHING)), "epoch 2 is not under way"),
        (4, at(3, Explained(1, None, NOTHING)), "epoch 1 has not ended"),
        (7, at(5, CauseChanged(1, "loss", "")), "epoch 1 was not explained"),
        (4, at(1, NoteTaken("")), "written at 1 s, after 2 s"),
        (11, at(7, EpochBegan(3)), "the run has ended"),
    ],
)
def test_what_comes_out_of_order_is_named(index: int, event: RecordedEvent, reason: str) -> None:
    """Each rule names the event that breaks it, by its index."""
    found = list(breaches((*LEGAL[:index], event)))
    assert [(breach.index, breach.reason) for breach in found] == [(index, reason)]
