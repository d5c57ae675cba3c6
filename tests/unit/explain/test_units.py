"""Means over units smaller than a sample, and over whole batches: against sums by hand."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.explain.random_probes import make_probe
from tui_monitor.explain.ledger.build import build_ledger
from tui_monitor.explain.samples.counted import training_counted
from tui_monitor.explain.samples.probes import IN_ACCURACY, IN_LOSS, Averaging, Weighting
from tui_monitor.run_log.events.ledger import Cause, Ledger


def _effects(ledger: Ledger | None) -> dict[Cause, float | None]:
    assert ledger is not None
    return {term.cause: term.effect for term in ledger.terms}


@pytest.mark.parametrize("seed", range(5))
def test_weighting_batches_by_samples_is_a_term_where_units_are_smaller(seed: int) -> None:
    """The term is the difference of both ways to average the same values, on both sides."""
    probe, validation = make_probe(seed, batches=6, weighting=Weighting.NONE)
    loss = probe.loss.inference
    probe = replace(
        probe,
        loss=replace(probe.loss, then=loss, training=loss),
        epoch_class_counts=None,
        batch_samples=np.array([1.0, 5.0, 2.0, 2.0, 4.0, 3.0]),
    )
    validation = replace(validation, class_counts=None, complete=True)

    def means(values: np.ndarray, batch: np.ndarray) -> np.ndarray:
        return np.array([values[batch == each].mean() for each in np.unique(batch)])

    assert probe.batch_samples is not None
    by_samples = np.average(means(loss, probe.batch), weights=probe.batch_samples)
    effects = _effects(build_ledger(probe, validation, "loss"))
    assert effects[Cause.BATCH_AVERAGING] == pytest.approx(by_samples - loss.mean(), abs=1e-9)
    own = np.arange(1.0, validation.batches + 1)
    effects = _effects(build_ledger(probe, replace(validation, batch_samples=own), "loss"))
    of_validation = validation.loss.mean() - np.average(means(validation.loss, validation.batch), weights=own)
    assert effects[Cause.BATCH_AVERAGING] == pytest.approx(by_samples - loss.mean() + of_validation, abs=1e-9)


def test_values_of_whole_batches_split_no_weights_and_no_classes() -> None:
    """What can't be told apart has no amount, stays within class, and one batch tells nothing of chance."""
    probe, validation = make_probe(3, batches=8, weighting=Weighting.NONE)
    loss = replace(probe.loss, is_of_batches=True, unsplit=(Cause.SAMPLE_WEIGHTS, Cause.CLASS_MIX))
    ledger = build_ledger(replace(probe, loss=loss), replace(validation, batch=validation.batch * 0), "loss")
    effects = _effects(ledger)
    assert ledger is not None
    assert (effects[Cause.SAMPLE_WEIGHTS], effects[Cause.CLASS_MIX]) == (None, None)
    assert sum(effect or 0.0 for effect in effects.values()) == pytest.approx(ledger.gap or 0.0, abs=1e-9)
    assert (ledger.low, ledger.high, ledger.within_noise) == (None, None, None)


def test_a_mean_is_over_the_units_that_are_part_of_it() -> None:
    """Masked units leave the loss and stay in an accuracy that counts them, as a class of their own."""
    probe, _ = make_probe(4, batches=3, averaging=Averaging.SAMPLES)
    masked = np.arange(probe.label.size) % 3 == 0
    label = np.where(masked, 2, probe.label)
    counted = np.where(masked, IN_ACCURACY, IN_LOSS | IN_ACCURACY)
    probe = replace(probe, label=label, counted=counted, epoch_class_counts=np.bincount(label, minlength=3))
    in_loss, in_accuracy = training_counted(probe, IN_LOSS), training_counted(probe, IN_ACCURACY)
    assert in_loss.loss.then.tolist() == probe.loss.then[~masked].tolist()
    assert in_accuracy.accuracy is not None
    assert in_accuracy.accuracy.then.size == probe.label.size
    assert in_loss.epoch_class_counts is not None
    assert in_loss.epoch_class_counts.tolist() == np.bincount(label[~masked], minlength=2).tolist()
