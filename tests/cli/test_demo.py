"""The demo from the command line: the question's values, their explanation, and how it ends."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.cli.conftest import Command, command_line, environment
from tests.training.brute_force import Samples, folded, ledger
from tui_monitor.demo import SCENARIOS
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.events.lines import UnknownEvent, parse_event_line
from tui_monitor.run_log.events.notifications import Explained
from tui_monitor.run_log.events.order import breaches
from tui_monitor.run_log.format.layout import EVENTS_FILE, State
from tui_monitor.training.demo import train

EPOCHS = 5


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Run the default demo once, headless."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        command_line("demo", "--headless", "--epochs", str(EPOCHS), "--seed", "1", "--name", "q"),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=300,
    )
    return folder / "runs" / "q", done


def test_it_succeeds_and_speaks_on_standard_error_alone(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """Exit code 0, nothing on standard output, a line and a headline for every epoch."""
    _, done = finished
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert sum(line.startswith("epoch ") and "val_loss" in line for line in lines) == EPOCHS
    assert any("Class weights raise only the training loss" in line for line in lines)


def test_its_events_are_written_in_the_stated_order(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """A real training, with measurements, changes and samples of another thread, breaks no rule of the order."""
    lines = (finished[0] / EVENTS_FILE).read_bytes().splitlines()
    events = [recorded for line in lines if (recorded := parse_event_line(line)) is not None]
    assert len(events) == len(lines)
    assert sum(isinstance(recorded.event, Explained) for recorded in events) >= 1
    assert not any(isinstance(recorded.event, UnknownEvent) for recorded in events)
    assert list(breaches(events)) == []


def test_every_epoch_from_the_second_shows_the_question(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """Loss 0.62 ± 0.04, accuracy 0.83 ± 0.02, validation loss 0.51 ± 0.03, validation accuracy 0.78 ± 0.02."""
    snapshot = load(finished[0])
    assert snapshot.state is State.FINISHED
    assert snapshot.fit is not None
    assert len(snapshot.fit.epochs) == EPOCHS
    for row in snapshot.fit.epochs[1:]:
        assert row.metrics["loss"] == pytest.approx(0.62, abs=0.04)
        assert row.metrics["accuracy"] == pytest.approx(0.83, abs=0.02)
        assert row.metrics["val_loss"] == pytest.approx(0.51, abs=0.03)
        assert row.metrics["val_accuracy"] == pytest.approx(0.78, abs=0.02)
        assert row.samples == 10_708
    assert len(snapshot.fit.series["loss"]) == sum(row.batches for row in snapshot.fit.epochs)


def test_its_explanation_is_the_brute_force_one(
    finished: tuple[Path, subprocess.CompletedProcess[str]], tui_monitor: Command
) -> None:
    """Within the default budget, both main causes are named, within 0.02 of the computation over all data."""
    done = tui_monitor("explain", str(finished[0]), "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    model, data, history = train(SCENARIOS["question"], seed=1, epochs=content["epoch"])
    reported = {name: float(values[-1]) for name, values in history.history.items()}
    assert content["reported"] == pytest.approx(reported, abs=1e-6)

    def values(metric: str, x: np.ndarray, targets: np.ndarray) -> np.ndarray:
        outputs = keras.ops.convert_to_numpy(model(x, training=False)).astype(np.float64)
        if metric == "accuracy":
            return (targets.argmax(axis=1) == outputs.argmax(axis=1)).astype(float)
        return np.asarray(-np.log(np.clip((targets * outputs).sum(axis=1), 1e-7, 1.0)))

    label = data.y.argmax(axis=1)
    class_weight = np.array(SCENARIOS["question"].class_weight)
    for metric, cause in (("loss", "sample_weights"), ("accuracy", "class_mix")):
        inference = values(metric, data.x, data.y)
        samples = Samples(
            training=inference,
            inference=inference,
            weight=class_weight[label] if metric == "loss" else np.ones(label.size),
            label=label,
            sizes=[label.size],
            validation=values(metric, data.validation_x, data.validation_y),
            validation_weight=np.ones(len(data.validation_y)),
            validation_label=data.validation_y.argmax(axis=1),
        )
        expected = ledger(samples, reported[metric], reported[f"val_{metric}"])
        terms = {term["cause"]: term for term in content[metric]["terms"]}
        assert terms[cause]["verdict"] == "main"
        effects = folded((name, term["effect"]) for name, term in terms.items())
        assert effects == pytest.approx(expected, abs=0.02)
        assert sum(term["effect"] or 0.0 for term in terms.values()) == pytest.approx(content[metric]["gap"], abs=1e-9)


def test_explain_lists_every_epoch_and_refuses_unknown_ones(
    finished: tuple[Path, subprocess.CompletedProcess[str]], tui_monitor: Command
) -> None:
    """`--all --json` prints one object a line for each epoch; an epoch that is not there is one sentence."""
    done = tui_monitor("explain", str(finished[0]), "--all", "--json")
    epochs = [json.loads(line)["epoch"] for line in done.stdout.splitlines()]
    assert epochs == list(range(1, EPOCHS + 1))
    missing = tui_monitor("explain", str(finished[0]), "--epoch", "99")
    assert missing.returncode == 7
    assert missing.stderr.count("\n") == 1


def test_run_json_names_the_training_process(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """`run.json` carries pid, host, versions and the batch columns."""
    content = json.loads((finished[0] / "run.json").read_text())
    assert content["pid"] > 0
    assert content["host"]
    assert content["versions"]["keras"] == keras.__version__
    assert [column[0] for column in content["phases"][0]["columns"]] == ["time", "epoch", "size", "loss", "accuracy"]


def test_ls_shows_the_run(finished: tuple[Path, subprocess.CompletedProcess[str]], tui_monitor: Command) -> None:
    """A run's line holds its name, state, epochs and last values."""
    done = tui_monitor("ls", "--runs", str(finished[0].parent))
    assert done.returncode == 0
    line = done.stdout.splitlines()[1]
    assert {"q", "finished", f"{EPOCHS}/{EPOCHS}"} <= set(line.split())


def _start(folder: Path, name: str, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command_line("demo", "--headless", "--name", name, *options),
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - it calls nothing that takes a lock
    )


def _hear_ctrl_c() -> None:
    """Undo what a shell does to whatever it starts in the background: its SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _kill_training(folder: Path) -> None:
    """Kill what still trains, so that a failed test leaves nothing behind."""
    if (folder / "run.json").exists() and not load(folder).state.ended:
        os.kill(json.loads((folder / "run.json").read_text())["pid"], signal.SIGKILL)


def _wait_until(condition: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def _snapshot(folder: Path) -> Snapshot | None:
    return load(folder) if (folder / "run.json").exists() else None


def _has_batches(folder: Path, epoch: int) -> bool:
    snapshot = _snapshot(folder)
    return snapshot is not None and snapshot.fit is not None and snapshot.fit.epoch >= epoch


def test_ctrl_c_stops_gracefully_and_keeps_the_run(tmp_path: Path) -> None:
    """SIGINT ends training after a batch: exit code 0, state stopped, the epochs so far readable."""
    folder = tmp_path / "runs" / "interrupted"
    process = _start(tmp_path, "interrupted", "--epochs", "400")
    try:
        _wait_until(lambda: _has_batches(folder, 2))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=240)
    finally:
        process.kill()
        _kill_training(folder)
    assert process.returncode == 0, said
    snapshot = load(folder)
    assert snapshot.state is State.STOPPED
    assert [entry.text for entry in snapshot.timeline if entry.kind == "control"] == ["Stopping after this batch."]
    assert snapshot.fit is not None
    assert 1 <= len(snapshot.fit.epochs) < 400


@pytest.fixture(scope="module")
def outlived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Start a demo that measures nothing, kill what shows it, and return its run when the training has ended."""
    base = tmp_path_factory.mktemp("outlived")
    folder = base / "runs" / "survivor"
    process = _start(base, "survivor", "--epochs", "4", "--probe-budget", "0")
    try:
        _wait_until(lambda: _has_batches(folder, 1))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        _wait_until(lambda: load(folder).state.ended)
    finally:
        process.kill()
        _kill_training(folder)
    return folder


def test_training_outlives_a_killed_screen(outlived: Path) -> None:
    """SIGKILL of the process that shows the run leaves training running to its end, and the run complete."""
    snapshot = load(outlived)
    assert snapshot.state is State.FINISHED
    assert snapshot.fit is not None
    assert len(snapshot.fit.epochs) == 4
    assert len(snapshot.fit.series["loss"]) == sum(row.batches for row in snapshot.fit.epochs)


def test_probes_off_leaves_what_the_log_proves(outlived: Path, tui_monitor: Command) -> None:
    """With a budget of 0 nothing is measured, and the explanation says what the values alone exclude."""
    content = json.loads(tui_monitor("explain", str(outlived), "--json").stdout)
    assert content["evidence"] == "log"
    assert all(term["effect"] is None for term in content["loss"]["terms"])
