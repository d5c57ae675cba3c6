"""What is shown of causes that show in no single sample: both values side by side, and nothing where none is named."""

import dataclasses

import pytest

from tests.app.snapshots import explanation
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Cause, Ledger, Term, Verdict
from tui_monitor.run_log.events.opened import BatchNormLag, FreshTest
from tui_monitor.view.panels.evidence.found_causes import batch_norm_rows, fresh_rows
from tui_monitor.view.text.rows import Rows

LAG = BatchNormLag(1, 27, 29_956.0, 0.0613, 0.991)
FRESH = FreshTest(22, 746, 2700, 0.5798, 0.5728)


def _named(cause: Cause, verdict: Verdict) -> Explanation:
    """Return an explanation of one term."""
    told = explanation()
    assert told.loss is not None
    term = Term(cause, 0.1, 0.05, 0.15, verdict)
    return dataclasses.replace(told, loss=Ledger(0.1, 0.05, 0.15, False, (term,)), accuracy=None)


def _text(rows: Rows) -> list[str]:
    return ["".join(run.text for run in row).rstrip() for row in rows]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lag_stands_beside_what_is_reported(width: int) -> None:
    """Loss and accuracy as reported, and with statistics of now; no row is wider than the screen."""
    told = _named(Cause.TRAIN_MODE_LAYERS, Verdict.MAIN)
    text = _text(batch_norm_rows(LAG, told, width))
    assert text[-2].split() == ["val_loss", f"{told.reported['val_loss']:.4f}", "0.0613"]
    assert text[-1].split()[-2:] == ["99.1", "%"]
    assert "27 training batches" in " ".join(text)
    assert all(len(line) <= width for line in text)


@pytest.mark.parametrize("cause", [Cause.UNFAMILIAR, Cause.MEMORISED])
def test_the_first_epoch_stands_beside_now(cause: Cause) -> None:
    """Both sides' losses before the samples were trained on, and as reported."""
    told = _named(cause, Verdict.OFFSETS)
    text = _text(fresh_rows(FRESH, told, 80))
    assert text[-2].split() == ["22", "batches", "0.5798", "0.5728"]
    assert text[-1].split() == ["3", "epochs", f"{told.reported['loss']:.4f}", f"{told.reported['val_loss']:.4f}"]


def test_what_is_no_cause_is_not_shown() -> None:
    """Nothing stands there where the cause is negligible, or where validation was not measured."""
    told = _named(Cause.TRAIN_MODE_LAYERS, Verdict.RULED_OUT)
    assert batch_norm_rows(LAG, told, 80) == ()
    assert fresh_rows(FRESH, told, 80) == ()
    named = _named(Cause.TRAIN_MODE_LAYERS, Verdict.MAIN)
    assert batch_norm_rows(dataclasses.replace(LAG, val_loss=None), named, 80) == ()
