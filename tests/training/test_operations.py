"""What is said of each unit is the same whether TensorFlow or NumPy computes it."""

import warnings
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_monitor.explain.samples.probes import Weighting
from tui_monitor.training.step.classes import Classes, ClassKind, Scale
from tui_monitor.training.step.operations import operations_on
from tui_monitor.training.step.per_sample_metrics import PerSampleMetrics
from tui_monitor.training.step.sample_tensors import SampleTensors

_CLASSES = 3
_NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 0.5, 0.3, 2.0, -88.0, 120.0])
_WEIGHTS = st.sampled_from(["none", "a sample", "a sample, two axes", "a unit"])


def _classes(kind: ClassKind, scale: Scale, signs: bool) -> Classes | None:
    if kind is ClassKind.NONE:
        return None
    count = 2 if kind is ClassKind.BINARY else _CLASSES
    return Classes(kind=kind, count=count, threshold=0.5, scale=scale, has_signs=signs)


@st.composite
def _outputs(draw: Any) -> tuple[PerSampleMetrics, SampleTensors]:
    """Draw one output of a step: 0 to 4 samples, of time steps or not, with weights and masks of all forms."""
    axes, samples = draw(st.integers(0, 1)), draw(st.integers(0, 4))
    units = (samples, 5)[: 1 + axes]

    def array(shape: tuple[int, ...], values: Any = _NUMBERS) -> Any:
        count = int(np.prod(shape))
        return np.array(draw(st.lists(values, min_size=count, max_size=count)), "float32").reshape(shape)

    kind = draw(st.sampled_from(ClassKind))
    width = {ClassKind.BINARY: (1,), ClassKind.NONE: (2,)}.get(kind, (_CLASSES,))
    y = array((*units, *(width if kind in (ClassKind.ONE_HOT, ClassKind.NONE) else ())))
    shapes = {"a sample": units[:1], "a sample, two axes": (samples, 1), "a unit": units}
    weight = array(shapes.get(draw(_WEIGHTS), ()) or (0,))
    truth = st.sampled_from([0.0, 1.0])
    masks = [array(units, truth) if draw(st.booleans()) else None for _ in range(2)]
    metrics = PerSampleMetrics(
        output="",
        loss_name="loss",
        loss_scale=1.0,
        loss_weighting=Weighting.PER_SAMPLE,
        accuracy_name=draw(st.sampled_from([None, "accuracy"])),
        accuracy_weighting=Weighting.NONE,
        classes=_classes(kind, draw(st.sampled_from(Scale)), draw(st.booleans())),
        axes=axes,
        is_masked=any(mask is not None for mask in masks),
        is_accuracy_masked=masks[1] is not None,
    )
    correct = array(units, truth) if draw(st.booleans()) else None
    loss = array((*units, 2) if draw(st.booleans()) else units)
    given_weight = weight if weight.size or not samples else None
    return metrics, SampleTensors(loss, correct, y, array((*units, *width)), given_weight, *masks)


def _as_tensors(sample: SampleTensors) -> SampleTensors:
    return sample.filled(iter([tf.constant(array) for array in sample.tensors()]))


@settings(max_examples=150, deadline=None)
@given(_outputs())
def test_arrays_say_what_tensors_say(output: tuple[PerSampleMetrics, SampleTensors]) -> None:
    """Every row of every unit, and the counts; without a warning, whatever the outputs hold."""
    metrics, arrays = output
    tensors = _as_tensors(arrays)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = metrics.by_unit(arrays)
        counts = metrics.counts(arrays) if metrics.counts_width else None
    for name, row, expected in zip(metrics.computed, rows, metrics.by_unit(tensors), strict=True):
        assert row.dtype == np.float32, name
        np.testing.assert_allclose(row, expected.numpy(), rtol=2e-6, err_msg=name)
    if counts is not None:
        np.testing.assert_array_equal(counts, metrics.counts(tensors).numpy())
        np.testing.assert_array_equal(counts, metrics.counts(arrays, rows))
        assert counts.shape == (metrics.counts_width,)
    at_hand = tensors.at_hand()
    for array, expected in zip(at_hand.tensors(), arrays.tensors(), strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "int32", "uint8", "bool"])
def test_any_numbers_become_float32(dtype: str) -> None:
    """Outputs of mixed precision, labels of any type."""
    given = tf.cast(tf.constant([0.0, 1.0, 1.0]), dtype)
    for values in (given, given.numpy()):
        found = operations_on(values).float32(values)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(np.asarray(found), [0.0, 1.0, 1.0])


def test_what_is_no_tensor_of_an_eager_step_is_left_to_tensorflow() -> None:
    """One symbolic tensor among others: their values are not there to be computed with."""
    found = []

    def trace(loss: Any) -> Any:
        sample = SampleTensors(loss, None, tf.constant([1.0]), tf.constant([0.0]), None)
        found.append(sample.at_hand() is sample)
        return loss

    tf.function(trace).get_concrete_function(tf.TensorSpec([1]))
    assert found == [True]
