"""Rows of per-sample values in one vector: what is of one length comes back, what is not is noticed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.explain.samples.probes import NO_CLASS, FloatArray, Weighting
from tui_monitor.training.step.classes import NO_CONFIDENCE, Classes, ClassKind, Scale
from tui_monitor.training.step.marks import END, MARK, unmarked
from tui_monitor.training.step.per_sample_metrics import PerSampleMetrics, Unsupported

CLASSES = Classes(ClassKind.SPARSE, 3, 0.5, Scale.PROBABILITIES)
METRICS = PerSampleMetrics("output", "loss", 1.0, Weighting.NONE, "accuracy", Weighting.NONE, CLASSES)
ROWS = len(METRICS.computed)


def _vector(*batches: list[int]) -> FloatArray:
    """Return batches whose rows have lengths as given."""
    return np.array(
        [value for lengths in batches for value in (*(each for size in lengths for each in (*range(size), MARK)), END)],
        np.float64,
    )


@given(st.lists(st.integers(0, 5), max_size=4))
def test_batches_of_any_size_come_back(sizes: list[int]) -> None:
    """Each batch's rows are those that were given, with no other information on their length."""
    found = list(unmarked(_vector(*([size] * ROWS for size in sizes))))
    taken = [METRICS.taken(rows, size).tolist() for rows, size in zip(found, sizes, strict=True)]
    assert taken == [[list(range(size))] * ROWS for size in sizes]


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, ROWS - 1))
def test_a_row_of_another_length_is_noticed(size: int, other: int, place: int) -> None:
    """Wherever it is, and even where it makes up for another row."""
    if size == other:
        return
    lengths = [other if row == place else size for row in range(ROWS)]
    shifted = [*lengths[:-1], max(0, 2 * size - other)] if place < ROWS - 1 else lengths
    for each in (lengths, shifted):
        [rows] = unmarked(_vector(each))
        with pytest.raises(Unsupported):
            METRICS.taken(rows, size)


def test_rows_that_nothing_tells_are_filled_in() -> None:
    """A step without classes and accuracy computes loss and weight alone; the other rows hold what stands for none."""
    metrics = replace(METRICS, accuracy_name=None, classes=None)
    assert metrics.computed == ("loss", "weight")
    taken = metrics.taken([np.array([0.5, 0.25]), np.array([1.0, 2.0])], 2)
    rows = {"loss": [0.5, 0.25], "correct": [0, 0], "label": [NO_CLASS] * 2, "predicted": [NO_CLASS] * 2}
    assert dict(zip(metrics.rows, taken.tolist(), strict=True)) == {
        **rows,
        "weight": [1, 2],
        "confidence": [NO_CONFIDENCE] * 2,
    }
