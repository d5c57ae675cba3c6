"""The probability of the predicted class, read from whatever a compiled model puts out."""

from typing import Any

import keras
import numpy as np
import pytest

from tui_monitor.training.backends.backend import backend_of
from tui_monitor.training.backends.capture import Capture, begin
from tui_monitor.training.step.classes import NO_CONFIDENCE
from tui_monitor.training.step.per_sample_metrics import per_sample_metrics

_OUTPUTS = np.array([[2.0, -1.0, 0.5], [-0.3, 0.1, 0.0], [0.0, 0.0, 3.0]], dtype="float32")
_SOFTMAX = np.exp(_OUTPUTS) / np.exp(_OUTPUTS).sum(axis=1, keepdims=True)
_ONE = _OUTPUTS[:, :1]
_SIGMOID = 1 / (1 + np.exp(-_ONE))
_LABELS = np.array([0, 2, 2])
_SURE = np.maximum(_SIGMOID, 1 - _SIGMOID).ravel()
_CASES = {
    "softmax": ("categorical_crossentropy", np.eye(3)[_LABELS], _SOFTMAX, _SOFTMAX.max(axis=1)),
    "sparse logits": (
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        _LABELS,
        _OUTPUTS,
        _SOFTMAX.max(axis=1),
    ),
    "sigmoid": ("binary_crossentropy", _LABELS[:, None] > 1, _SIGMOID, _SURE),
    "binary logits": (keras.losses.BinaryCrossentropy(from_logits=True), _LABELS[:, None] > 1, _ONE, _SURE),
    "hinge": ("hinge", _LABELS[:, None] > 1, _ONE, np.full(3, NO_CONFIDENCE)),
    "regression": ("mse", _ONE + 1, _ONE, np.full(3, NO_CONFIDENCE)),
}


@pytest.mark.parametrize("name", _CASES)
def test_confidence_is_the_probability_of_the_predicted_class(name: str) -> None:
    """Probabilities and logits of any cross-entropy give it; scores and regression give none."""
    loss, y, outputs, expected = _CASES[name]
    model: Any = keras.Sequential([keras.layers.Input((outputs.shape[1],)), keras.layers.Activation("linear")])
    model.compile("sgd", loss)
    x, y = keras.ops.convert_to_tensor(outputs), keras.ops.convert_to_tensor(y.astype("float32"))
    backend, capture = backend_of(model), Capture()
    backend.tell_captures()
    begin(capture)
    model.compute_loss(x=x, y=y, y_pred=x)
    begin(None)
    [(per_sample, sample)] = per_sample_metrics(backend, model, capture)
    rows = dict(zip(per_sample.rows, per_sample.of(sample), strict=True))
    np.testing.assert_allclose(rows["confidence"], expected, rtol=1e-5)


def test_a_hinge_knows_its_two_classes_by_either_name() -> None:
    """Targets of -1 and 1 are the classes 0 and 1, as those of 0 and 1 are."""
    model: Any = keras.Sequential([keras.layers.Input((1,)), keras.layers.Activation("linear")])
    model.compile("sgd", "hinge")
    backend_of(model).tell_captures()
    for targets in ([[0.0], [1.0], [1.0]], [[-1.0], [1.0], [1.0]]):
        capture = Capture()
        begin(capture)
        model.compute_loss(x=None, y=keras.ops.convert_to_tensor(targets), y_pred=keras.ops.convert_to_tensor(_ONE))
        begin(None)
        [(metrics, sample)] = per_sample_metrics(backend_of(model), model, capture)
        assert metrics.of(sample)[metrics.rows.index("label")].tolist() == [0.0, 1.0, 1.0]
