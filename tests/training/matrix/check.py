"""Compares a run of the matrix script with what it should have been."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.training.brute_force import folded
from tests.training.matrix.cells import EPOCHS, SAMPLES, Cell
from tests.training.matrix.oracle import batch_metrics, expected_ledger, expected_order, rows_of
from tui_monitor.history.snapshot import FitSnapshot
from tui_monitor.metric_names import canonical_metric

TOLERANCE = 1e-5
"""Of batch values, and of ledger terms, which are sums of values that Keras computes in float32."""


def check_order(cell: Cell, noted: Mapping[str, Any]) -> None:
    """Check that the model saw every sample once an epoch, in the order of the data where that is fixed."""
    rows, order = rows_of(cell, noted), expected_order(cell)
    steps = len(rows) // EPOCHS
    for epoch in range(EPOCHS):
        batches = rows[epoch * steps : (epoch + 1) * steps]
        assert sorted(np.concatenate(batches)) == list(range(SAMPLES))
        if order is not None:
            assert [list(batch) for batch in batches] == [list(batch) for batch in order]


def check_batches(cell: Cell, noted: Mapping[str, Any], fit: FitSnapshot) -> None:
    """Check every recorded batch against the forward pass in NumPy."""
    metric = "mae" if cell.loss == "regression" else "accuracy"
    assert tuple(map(canonical_metric, fit.info.metrics)) == ("loss", metric)
    assert fit.batches == len(noted["given"])
    assert [(row.batches, row.samples) for row in fit.epochs] == [(fit.batches // EPOCHS, SAMPLES)] * EPOCHS
    for name, expected in zip(("loss", metric), batch_metrics(cell, noted), strict=True):
        np.testing.assert_allclose(fit.series[name].values(), expected, atol=TOLERANCE, rtol=TOLERANCE)


def check_ledgers(cell: Cell, noted: Mapping[str, Any], fit: FitSnapshot) -> None:
    """Check every term of every epoch against brute force."""
    explained = [entry.content for entry in fit.explanations if entry.batch is None]
    assert len(explained) == EPOCHS
    for epoch, content in enumerate(explained):
        assert content["limits"] == []
        for metric in ("loss",) if cell.loss == "regression" else ("loss", "accuracy"):
            expected = expected_ledger(cell, noted, epoch, metric)
            measured = folded((term["cause"], term["effect"]) for term in content[metric]["terms"])
            scale = max(1.0, abs(content[metric]["gap"]))
            assert measured == pytest.approx(dict(expected), abs=TOLERANCE * scale), (epoch, metric)
