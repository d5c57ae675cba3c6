"""Rows of per-sample values in one vector: what is of one length comes back, what is not is noticed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.training.step.per_sample_metrics import MARK, ROWS, Unsupported, unmarked


def _vector(*lengths: int) -> np.ndarray:
    rows = [[*np.arange(length, dtype=np.float32), MARK] for length in lengths]
    return np.array([value for row in rows for value in row], np.float32)


@given(st.lists(st.integers(0, 5), max_size=4))
def test_batches_of_any_size_come_back(sizes: list[int]) -> None:
    """Each batch's rows are those that were given, with no other information on their length."""
    vector = _vector(*(size for size in sizes for _ in ROWS))
    assert [block.tolist() for block in unmarked(vector)] == [[list(range(size))] * len(ROWS) for size in sizes]


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, len(ROWS) - 1))
def test_a_row_of_another_length_is_noticed(size: int, other: int, place: int) -> None:
    """Wherever it is, and even where it makes up for another row."""
    if size == other:
        return
    lengths = [other if row == place else size for row in range(len(ROWS))]
    shifted = [*lengths[:-1], max(0, 2 * size - other)] if place < len(ROWS) - 1 else lengths
    for each in (lengths, shifted):
        with pytest.raises(Unsupported, match="number of rows"):
            list(unmarked(_vector(*each)))
