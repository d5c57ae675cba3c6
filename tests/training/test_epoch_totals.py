"""What an epoch's reported value averages is read off the batches, and not off their rounding."""

import pytest

from tui_monitor.explain.samples.probes import Averaging
from tui_monitor.training.record.epoch_totals import EpochTotals


def _totals(*batches: tuple[float, float]) -> EpochTotals:
    totals = EpochTotals(1)
    for samples, value in batches:
        totals.add([samples, value])
    return totals


@pytest.mark.parametrize("reported", [0.5, 0.5 + 1e-7, 0.5 - 1e-7])
def test_equal_means_count_as_keras_own(reported: float) -> None:
    """Unequal batches whose two means happen to be equal are averaged by samples, whatever float32 made of them."""
    assert _totals((10, 0.4), (10, 0.6), (4, 0.5)).averaging_behind(0, reported) is Averaging.SAMPLES


def test_a_mean_of_batch_means_is_recognised() -> None:
    """The nearer of two different means is the one behind the value."""
    totals = _totals((30, 0.2), (10, 0.6))
    assert totals.averaging_behind(0, 0.4) is Averaging.BATCHES
    assert totals.averaging_behind(0, 0.3) is Averaging.SAMPLES
