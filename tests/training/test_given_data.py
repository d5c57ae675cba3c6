"""How many samples a fit is given, as its arrays tell."""

from typing import Any

import numpy as np
import pytest

from tui_monitor.training.record.given_data import GivenSamples, given_samples

TEN, FOUR = np.zeros((10, 2)), np.zeros((4, 2))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"x": TEN, "validation_data": (FOUR, FOUR)}, GivenSamples(10, 4)),
        ({"x": [TEN, TEN], "validation_data": ({"a": FOUR}, FOUR)}, GivenSamples(10, 4)),
        ({"x": TEN, "validation_split": 0.25}, GivenSamples(7, 3)),
        ({"x": TEN, "validation_split": 0.25, "validation_data": (FOUR, FOUR)}, GivenSamples(10, 4)),
        ({"x": TEN, "steps_per_epoch": 2, "validation_data": (FOUR, FOUR)}, GivenSamples(0, 4)),
        ({"x": TEN, "validation_data": (FOUR, FOUR), "validation_steps": 1}, GivenSamples(10, 0)),
        ({"x": iter(TEN), "validation_data": iter(FOUR)}, GivenSamples(0, 0)),
        ({}, GivenSamples(0, 0)),
    ],
)
def test_samples_are_counted_where_arrays_are_given_whole(arguments: dict[str, Any], expected: GivenSamples) -> None:
    """What `steps_per_epoch` or an iterator may cut is not known; a split is Keras' own."""
    assert given_samples(arguments) == expected
