"""Which explanation answers a question about a run, and why none does."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.app.snapshots import explanation
from tests.unit.explain.random_probes import make_probe
from tui_monitor.explain.measure import Moment, explain_probe
from tui_monitor.history.load import load
from tui_monitor.history.replay.recording import Recording
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.events import explanation as schema
from tui_monitor.run_log.events.explanation import RecordedExplanation, explanation_to_json
from tui_monitor.run_log.events.notifications import Explained
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.read.reader import RunReader
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.view.explanations import Answer, answer, fit_to_explain, measured_epochs, newest_answer

LOGS = {"loss": 0.7, "val_loss": 0.5, "accuracy": 0.8, "val_accuracy": 0.75}
DAMAGED = RecordedExplanation({"schema": 1, "run": 5})


def explained(epoch: int, batch: int | None = None) -> Explained:
    """Return the event of a measured explanation."""
    probe, validation = make_probe(seed=epoch, batches=6)
    return Explained.of(explain_probe(probe, validation, Moment("run", epoch, batch, None)))


def run_of(folder: Path, *steps: object, probe_budget: float = 0.02, state: State | None = None) -> Snapshot:
    """Write a run of one fit and read it: a whole number ends that epoch, an event is written as it is."""
    with RunWriter(folder, RunInfo(name="run", pid=1, command=("x",)), heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss"], epochs=9, fit={"probe_budget": probe_budget})
        writer.event(EpochBegan(1))
        writer.batch(1, 32, (0.7,))
        for step in steps:
            writer.event(EpochEnded(step, LOGS, 1, 32) if isinstance(step, int) else step)  # type: ignore[arg-type]
        if state is not None:
            writer.status(state)
    return load(folder)


def basis(found: Answer) -> tuple[str, int, int | None] | None:
    """Return by what, for which epoch and after how many of its batches an answer was found."""
    explanation = found.explanation
    return None if explanation is None else (explanation.evidence, explanation.epoch, explanation.batch)


@pytest.mark.parametrize(
    ("steps", "epoch", "expected"),
    [
        ((1, explained(1), 2, explained(2)), None, ("probe", 2, None)),
        ((1, explained(1), explained(2, 7)), None, ("probe", 2, 7)),
        ((explained(1, 3), 1, explained(1), 2), 1, ("probe", 1, None)),
        ((1, explained(1), explained(1, 3)), 1, ("probe", 1, None)),
        ((1, explained(1), 2), 2, ("log", 2, None)),
        ((1, 2), None, ("log", 2, None)),
        ((1, 2), 1, ("log", 1, None)),
        ((1, explained(1)), 5, None),
        ((), None, None),
        ((1, Explained(1, None, DAMAGED)), None, None),
    ],
)
def test_what_was_measured_answers_first(
    tmp_path: Path, steps: tuple[object, ...], epoch: int | None, expected: tuple[str, int, int | None] | None
) -> None:
    """The newest, or an epoch's own, its end before a moment within it; else what the log proves; else why none is."""
    snapshot = run_of(tmp_path / "run", *steps)
    found = answer(snapshot, fit_to_explain(snapshot), epoch)
    assert basis(found) == expected
    assert bool(found.why_none) == (expected is None)


@pytest.mark.parametrize(
    ("steps", "options", "expected"),
    [
        ((1,), {}, None),
        ((1,), {"state": State.FINISHED}, ("log", 1, None)),
        ((1,), {"probe_budget": 0.0}, ("log", 1, None)),
        ((1, explained(1)), {}, ("probe", 1, None)),
    ],
)
def test_a_screen_waits_for_a_measurement_that_may_still_come(
    tmp_path: Path,
    steps: tuple[object, ...],
    options: dict[str, object],
    expected: tuple[str, int, int | None] | None,
) -> None:
    """While the first one is to come nothing is shown in its place; where none will, the log speaks."""
    snapshot = run_of(tmp_path / "run", *steps, **options)  # type: ignore[arg-type]
    found = newest_answer(snapshot, snapshot.fit)
    assert basis(found) == expected
    assert not found.why_none
    if found.explanation is not None:
        assert bool(found.explanation.limits) == ("probe_budget" in options)


def test_the_nearest_measured_epoch_is_named(tmp_path: Path) -> None:
    """An epoch that the budget left out says where the nearest measurement is."""
    snapshot = run_of(tmp_path / "run", 1, explained(1), 2, 3, 4, explained(4))
    found = answer(snapshot, snapshot.fit, 3)
    assert found.explanation is not None
    assert "--epoch 4" in found.explanation.next_step
    assert list(measured_epochs(snapshot.fit)) == [1, 4]


def test_an_explanation_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a replay goes back and forth, an event's explanation is turned into an object one time."""
    run_of(tmp_path / "run", 1, explained(1), 2, explained(2))
    read: list[object] = []
    parse = schema.explanation_from_json

    def counted(content: Mapping[str, Any]) -> schema.Explanation:
        read.append(content)
        return parse(content)

    monkeypatch.setattr(schema, "explanation_from_json", counted)
    recording = Recording()
    recording.fold(RunReader(tmp_path / "run").poll(max_seconds=60))
    for position in (0.0, recording.end, 0.0, recording.end):
        snapshot = recording.at(position)
        newest_answer(snapshot, snapshot.fit)
    assert len(read) == 2


def test_json_is_what_was_recorded(tmp_path: Path) -> None:
    """Keys of another version and their order stay as they are; what the log proves is spelled by this one."""
    event = explained(1)
    content = {"zeal": [1], **event.explanation.recorded}
    snapshot = run_of(tmp_path / "run", 1, replace(event, explanation=RecordedExplanation(content)), 2)
    assert list((answer(snapshot, snapshot.fit, 1).content or {}).items()) == list(content.items())
    assert (answer(snapshot, snapshot.fit, 2).content or {})["evidence"] == "log"


def test_an_explanation_of_schema_1_is_read_without_what_came_later() -> None:
    """Without the keys of schema 2 it reads, its terms have no reason, and what was not held is None."""
    content = json.loads(json.dumps(explanation_to_json(explanation(3))))
    for name in ("opened", "labels", "outputs", "unit", "in_nats"):
        del content[name]
    for ledger in (content["loss"], content["accuracy"]):
        ledger["terms"] = [
            {name: value for name, value in term.items() if name not in ("reason", "parts")} for term in ledger["terms"]
        ]
    read = schema.explanation_from_json({**content, "schema": 1})
    assert (read.schema, read.opened, read.labels, read.unit) == (1, None, None, "sample")
    assert read.loss is not None
    assert [term.reason for term in read.loss.terms] == [""] * 7
    assert read.headline == explanation(3).headline


def test_every_new_key_survives_the_record() -> None:
    """What was found, and labels, come back from JSON as they were written."""
    each = schema.Classes(("0",), (0.4,), (0.3,), 0.2, (0.9,), (None,), (0.7,), (0.6,))
    whole = explanation(3, labels=schema.Labels(each, 100, 50))
    assert schema.explanation_from_json(json.loads(json.dumps(explanation_to_json(whole)))) == whole
