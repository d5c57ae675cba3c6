"""What several workers measured becomes one probe that leaves nothing out."""

from dataclasses import replace

import numpy as np

from tests.unit.explain.random_probes import make_probe
from tui_monitor.explain.measure import Moment, explain_probe
from tui_monitor.explain.samples.join_workers import Average, WorkerShare, join_shares
from tui_monitor.explain.samples.probes import FloatArray, TrainingProbe, ValidationProbe


def share(seed: int, batches: int, *, is_sure: bool = True) -> WorkerShare:
    """Return what one worker measured, every sample with its confidence."""
    probe, validation = make_probe(seed, batches=batches)
    sure = np.random.default_rng(seed)
    probe = replace(probe, confidence=sure.uniform(0.5, 1.0, probe.batch.size) if is_sure else None)
    validation = replace(validation, confidence=sure.uniform(0.5, 1.0, validation.batch.size))
    return WorkerShare(probe, validation, probe.batch.size, Average(0.7, 0.7), Average(0.8, 0.8))


def confidence_of(probe: TrainingProbe | ValidationProbe | None) -> FloatArray:
    """Return the confidence of a probe that has one."""
    assert probe is not None
    assert probe.confidence is not None
    return probe.confidence


def test_confidence_outlives_the_joining() -> None:
    """Each joined sample keeps the confidence it was measured with, whichever batches are cut; so calibration shows."""
    shares = [share(1, 6), share(2, 3)]
    training, validation = join_shares(shares)
    assert validation is not None
    assert training.confidence is not None
    assert validation.confidence is not None
    probes = [each.training for each in shares]
    known = {pair for probe in probes for pair in zip(probe.loss.inference, confidence_of(probe), strict=True)}
    assert set(zip(training.loss.inference, training.confidence, strict=True)) <= known
    np.testing.assert_array_equal(
        validation.confidence, np.concatenate([confidence_of(each.validation) for each in shares])
    )
    held = explain_probe(training, validation, Moment("run", 1, None, None, samples=100)).distributions
    assert held is not None
    assert held.calibration is not None
    assert held.calibration.validation is not None


def test_confidence_that_one_worker_lacks_is_nobodys() -> None:
    """A mean over some workers' samples would not be that of the model: then there is none."""
    training, validation = join_shares([share(1, 6), share(2, 6, is_sure=False)])
    assert training.confidence is None
    assert validation is not None
    assert validation.confidence is not None
