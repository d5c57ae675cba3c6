"""Keras' progress text, as people paste it and as machines capture it."""

import math
from pathlib import Path

import pytest

from tests.unit.importers.printed_progress import EXPECTED, QUESTION, keras_3_text
from tests.unit.importers.reading import epochs_in, imported, logged_epochs, records_of
from tui_monitor.explain.from_log import explain_from_log
from tui_monitor.importers.records import Ended, FitBegan, Remark
from tui_monitor.run_log.format.layout import State


def test_the_questions_five_epochs_open_to_their_twenty_values(tmp_path: Path) -> None:
    """Pasted text becomes a run with exactly the values it shows, under matched names, explained from the log."""
    path = tmp_path / "pasted.txt"
    path.write_text(QUESTION)
    snapshot = imported(path, tmp_path / "runs")
    matched = ("loss", "accuracy", "val_loss", "val_accuracy")
    assert list(logged_epochs(snapshot)) == [
        (number, dict(zip(matched, logs.values(), strict=True))) for number, logs in EXPECTED
    ]
    assert snapshot.state is State.FINISHED
    assert "".join(f"{line}\n" for line in snapshot.output) == QUESTION
    explanation = explain_from_log("pasted", 5, snapshot.fits[0].epochs[-1].metrics)
    assert explanation.paradox
    assert explanation.evidence == "log"


@pytest.mark.parametrize("width", [40, 60, 79, 80, 81, 95, 100, 110, 113, 117])
def test_a_terminals_wrapping_changes_nothing(width: int) -> None:
    """Lines broken at a terminal's edge, wherever that falls, read as the lines they were."""
    wrapped = "".join(
        f"{line[start : start + width].rstrip()}\n"
        for line in QUESTION.splitlines()
        for start in range(0, len(line), width)
    )
    assert epochs_in(wrapped) == EXPECTED


@pytest.mark.parametrize("prefix", ["\b" * 90 + "\r", "\r", "\n", "\x1b[2K\r"])
def test_keras_3_bars_with_colours_and_rewriting(prefix: str) -> None:
    """Bars that rewrite themselves, or follow each other line by line, give the values of their last state."""
    assert epochs_in(keras_3_text(prefix)) == EXPECTED


@pytest.mark.parametrize(
    "line",
    [
        "67/67 - 3s - loss: 0.5 - acc: 0.75 - 3s/epoch - 45ms/step",
        "67/67 - 3s - 45ms/step - loss: 0.5000 - acc: 0.7500",
        " - 3s - loss: 0.5000 - acc: 0.7500",
        "4000/4000 [======] - 3s 1ms/sample - loss: 0.5000 - acc: 0.7500",
        "[2026-01-02 03:04:05] 67/67 [===] - 3s - loss: 0.5000 - acc: 0.7500",
        "67/67 [===] - 3s - loss: 0.5000 - acc: 0.7500 Saving 3/4 files",
    ],
)
def test_one_line_an_epoch_in_every_versions_manner(line: str) -> None:
    """`verbose=2` of every version, and lines with a prefix or a print behind them, are understood."""
    assert epochs_in(f"Epoch 1/1\n{line}\n") == [(1, {"loss": 0.5, "acc": 0.75})]


def test_small_large_and_impossible_values_are_exactly_those_printed() -> None:
    """Exponents, NaN and infinities come through as they stand."""
    ((_, logs),) = epochs_in("Epoch 1/1\n1/1 - 0s - loss: nan - a: 1.2345e-05 - b: -inf - c: 12345.6789 - d: inf\n")
    assert math.isnan(logs.pop("loss"))
    assert logs == {"a": 1.2345e-05, "b": -math.inf, "c": 12345.6789, "d": math.inf}


def test_prints_checkpoints_and_evaluations_in_between_are_not_training() -> None:
    """Whatever a script prints, and the bars of `evaluate` and `predict`, leave the epochs alone."""
    noise = "\nEpoch 1: val_loss improved from inf to 0.54, saving model to m.h5\n2/3 files - loss of precision\n"
    evaluation = "27/27 [=====] - 0s 2ms/step - loss: 9.0000 - acc: 0.1000\n5/5 [=====] - 0s 1ms/step\n"
    same_size = "67/67 [=====] - 0s 2ms/step - loss: 9.0000 - acc: 0.1000\n"
    text = QUESTION.replace("\nEpoch", f"\n{noise}{evaluation}{same_size}Epoch") + evaluation + same_size
    assert epochs_in(text) == EXPECTED


def test_several_fits_in_one_log_are_several_fits() -> None:
    """Epoch numbers that begin again begin a fit; a training set back to epoch 2 says so."""
    line = "67/67 - 3s - loss: 0.5000\n"
    text = "".join(f"Epoch {number}/{of}\n{line}" for number, of in [(1, 3), (2, 3), (2, 3), (3, 3), (1, 4), (2, 4)])
    records = records_of(text.encode())
    begun = [(record.epochs, record.initial_epoch) for record in records if isinstance(record, FitBegan)]
    assert begun == [(3, 0), (3, 1), (4, 0)]
    assert [record.text for record in records if isinstance(record, Remark)] == [
        "Epoch 2 comes again: the training was set back."
    ]


def test_a_fit_of_one_epoch_prints_no_epoch_line() -> None:
    """Bars without `Epoch` lines are trainings of one epoch, and the run says that this was assumed."""
    records = records_of(
        b"67/67 - 3s - loss: 0.5000 - val_loss: 0.4000\n67/67 - 3s - loss: 0.3000 - val_loss: 0.2000\n"
    )
    assert [record.epochs for record in records if isinstance(record, FitBegan)] == [1, 1]
    assert any(isinstance(record, Remark) and record.kind == "note" for record in records)


@pytest.mark.parametrize(
    ("tail", "state", "detail"),
    [
        ("", State.STOPPED, "The log ends with epoch 1 of 5."),
        ("Epoch 1: early stopping\n", State.FINISHED, ""),
        ("Traceback (most recent call last):\n  File 'a'\nValueError: no\n", State.FAILED, "ValueError: no"),
        ("^CTraceback (most recent call last):\n  x\nKeyboardInterrupt\n", State.STOPPED, "KeyboardInterrupt"),
        (
            "slurmstepd: error: *** JOB 12 CANCELLED AT 10:00 DUE TO TIME LIMIT ***\n",
            State.STOPPED,
            "slurmstepd: error: *** JOB 12 CANCELLED AT 10:00 DUE TO TIME LIMIT ***",
        ),
        ("Killed\n", State.FAILED, "Killed"),
    ],
)
def test_how_a_run_ended_is_what_its_log_shows(tail: str, state: State, detail: str) -> None:
    """A traceback, a cancelled job, an early stop and a log that just ends each give their state."""
    records = records_of(f"Epoch 1/5\n67/67 - 3s - loss: 0.5000\n{tail}".encode())
    assert records[-1] == Ended(state, detail)


def test_a_line_that_breaks_off_loses_only_its_torn_value() -> None:
    """A value without all its digits is named and left out; those before it count."""
    records = records_of(b"Epoch 1/1\n67/67 - 3s - loss: 0.5000 - acc: 0.75")
    assert epochs_in("Epoch 1/1\n67/67 - 3s - loss: 0.5000 - acc: 0.75") == [(1, {"loss": 0.5})]
    assert any(isinstance(record, Remark) and "breaks off" in record.text for record in records)
