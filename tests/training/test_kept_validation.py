"""What validation said of each sample is kept in the run, and its samples are known again."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.clock import Clock
from tests.training.conftest import OpenSession
from tests.training.small_fits import VALIDATION, build_model, fit, make_arrays
from tui_monitor.explain.samples.probes import Weighting
from tui_monitor.run_log.format.validation_samples import BEST_FILE, LAST_FILE, read_samples, samples_to_bytes
from tui_monitor.training.probe.sample_keys import keys_of_batches, sample_keys
from tui_monitor.training.probe.validation_record import ValidationBatch, ValidationRecord
from tui_monitor.training.record import validation_keeper
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.validation_keeper import ValidationKeeper
from tui_monitor.training.step.per_sample_metrics import PerSampleMetrics


def test_every_sample_of_the_last_and_the_best_epoch_is_kept(open_session: OpenSession) -> None:
    """Loss, correctness and label of each sample are those that the model itself gives, in validation's order."""
    keras.utils.set_random_seed(1)
    session, model = open_session(probe_budget=0.02), build_model()
    history = fit(model, session).history
    last, best = (read_samples(session.folder / name) for name in (LAST_FILE, BEST_FILE))
    assert last is not None
    assert best is not None
    _, _, x, y = make_arrays()
    probabilities = model.predict(x, verbose=0)
    np.testing.assert_allclose(last.loss, -np.log(probabilities[np.arange(VALIDATION), y]), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(last.label, y)
    assert last.correct is not None
    np.testing.assert_array_equal(last.correct, probabilities.argmax(axis=1) == y)
    assert last.epoch == len(history["val_loss"])
    assert best.epoch == int(np.argmin(history["val_loss"])) + 1
    assert last.key is not None
    assert len(set(last.key.tolist())) == VALIDATION


def test_a_shuffled_validation_has_the_same_keys_in_another_order(open_session: OpenSession) -> None:
    """Whatever the order of an epoch's validation, each key stays with its sample."""
    x, y, validation_x, validation_y = make_arrays()
    plain = (validation_x, validation_y)
    shuffled = tf.data.Dataset.from_tensor_slices(plain).shuffle(200, seed=3).batch(32)
    found = []
    for validation in (plain, shuffled):
        keras.utils.set_random_seed(1)
        session, model = open_session(probe_budget=0.02), build_model()
        arguments: dict[str, Any] = {"epochs": 4, "verbose": 0, "validation_data": validation}
        recorded_fit(model.fit, model, session, (x, y), arguments)
        session.writer.close()
        found.append(read_samples(session.folder / LAST_FILE))
    one, other = found
    assert one is not None
    assert other is not None
    assert one.key is not None
    assert other.key is not None
    assert not np.array_equal(one.key, other.key)
    first, second = np.argsort(one.key), np.argsort(other.key)
    np.testing.assert_array_equal(one.key[first], other.key[second])
    np.testing.assert_array_equal(one.label[first], other.label[second])
    np.testing.assert_allclose(one.loss[first], other.loss[second], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("budget", [0.0])
def test_nothing_is_kept_where_nothing_is_measured(open_session: OpenSession, budget: float) -> None:
    """With measuring off no sample is looked at."""
    session = open_session(probe_budget=budget)
    fit(build_model(), session)
    assert not (session.folder / LAST_FILE).exists()


def test_keys_tell_samples_apart_by_any_kind_of_data() -> None:
    """Equal samples have equal keys, whether an array or a tensor holds them; text has none."""
    generator = np.random.default_rng(2)
    for leaf in (
        generator.normal(size=(50, 3)).astype(np.float32),
        generator.integers(0, 255, (50, 16, 16, 3)).astype(np.uint8),
        generator.normal(size=(50, 300)),
        np.arange(50)[:, None] > np.arange(60),
    ):
        keys = sample_keys({"x000": leaf}, "x", 50)
        assert keys is not None
        assert len(set(keys.tolist())) == 50
        np.testing.assert_array_equal(sample_keys({"x000": tf.constant(leaf)}, "x", 50), keys)
        turned = sample_keys({"x000": leaf[::-1]}, "x", 50)
        assert turned is not None
        np.testing.assert_array_equal(turned[::-1], keys)
    assert sample_keys({"x000": tf.constant(["a", "b"])}, "x", 2) is None
    assert sample_keys({}, "x", 2) is None


def test_keys_of_batches_are_those_of_each_alone() -> None:
    """Batches of the same inner shapes share a call, others do not; the keys come in the order of the samples."""
    generator = np.random.default_rng(3)
    shapes = [(5, 3), (4, 3), (2, 7), (3, 3)]
    batches = [({"x000": generator.normal(size=shape), "y000": np.arange(shape[0])}, shape[0]) for shape in shapes]
    for role, calls in (("x", 3), ("y", 1)):
        found = list(keys_of_batches(batches, role))
        alone = [sample_keys(parts, role, samples) for parts, samples in batches]
        assert len(found) == calls
        one, other = (np.concatenate([key for key in keys if key is not None]) for keys in (found, alone))
        np.testing.assert_array_equal(one, other)
    assert list(keys_of_batches([({"x000": np.array(["a"])}, 1)], "x")) == [None]


def test_files_are_written_now_and_then(tmp_path: Any) -> None:
    """Epochs that end faster than every few seconds wait for the next writing, the last at the latest for the end."""
    clock = Clock()
    keeper = ValidationKeeper(tmp_path, clock)
    for epoch, loss in enumerate([0.5, 0.7, 0.3, 0.9], 1):
        keeper.epoch_ended(1, epoch, _record(loss, _METRICS), _METRICS)
        clock.now += 1
    assert [_epoch(tmp_path, name) for name in (LAST_FILE, BEST_FILE)] == [1, 1]
    clock.now += validation_keeper._PAUSE_SECONDS
    without = replace(_METRICS, accuracy_name=None)
    keeper.epoch_ended(1, 5, _record(0.8, without), without)
    assert [_epoch(tmp_path, name) for name in (LAST_FILE, BEST_FILE)] == [5, 3]
    part = _record(0.1, _METRICS)
    part.by_sample.clear()
    keeper.epoch_ended(1, 6, part, _METRICS)
    keeper.close()
    assert [_epoch(tmp_path, name) for name in (LAST_FILE, BEST_FILE)] == [5, 3]


_METRICS = PerSampleMetrics("output", "loss", 1.0, Weighting.NONE, "accuracy", Weighting.NONE, None)


def _record(loss: float, metrics: PerSampleMetrics) -> ValidationRecord:
    """Return a validation of one batch of five samples."""
    rows = [np.full(5, loss) for _ in metrics.computed]
    return ValidationRecord(
        by_sample=[ValidationBatch(0, 5, rows)], loss=loss, _rows=[np.array([5.0, loss], dtype=np.float64)]
    )


def _epoch(folder: Any, name: str) -> int:
    samples = read_samples(folder / name)
    assert samples is not None
    assert len(samples_to_bytes(samples)) > 100
    return samples.epoch
