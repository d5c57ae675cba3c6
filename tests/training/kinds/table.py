"""The kinds of model: how each is built and fed, and what a recording of it must come to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from tests.training.kinds import losses, models

TRAINED, VALIDATED, BATCH, EPOCHS = 80, 36, 32, 2
_draws = np.random.default_rng(3)
COUNT = TRAINED + VALIDATED
X = _draws.normal(size=(COUNT, 4)).astype("float32")
TWO = (X[:, 0] + _draws.normal(size=COUNT) > 0.2).astype("float32")
THREE = np.digitize(X[:, 1] + _draws.normal(size=COUNT), [-0.4, 0.7])
NUMBER = (X[:, :1] * 2 + _draws.normal(size=(COUNT, 1))).astype("float32")
WEIGHT = _draws.uniform(0.3, 2.0, COUNT).astype("float32")
HELD = np.arange(5) < _draws.integers(1, 6, (COUNT, 1))
TOKENS = _draws.integers(1, 9, (COUNT, 5)) * HELD
NEXT = _draws.integers(0, 3, (COUNT, 5))
STEP_WEIGHT = (HELD * _draws.uniform(0.5, 1.5, (COUNT, 5))).astype("float32")
IMAGES = _draws.normal(size=(COUNT, 4, 4, 1)).astype("float32")
PIXELS = (IMAGES > 0.3).astype("float32")
LABELS = (X[:, :3] > [0.0, 0.5, 1.0]).astype("float32")

BY_SAMPLE, BY_BATCH = "by sample", "by batch"


@dataclass(frozen=True)
class Kind:
    """One kind of model."""

    build: Callable[[], keras.Model]
    x: Any
    y: Any
    explained: str = BY_SAMPLE
    """`BY_SAMPLE`, `BY_BATCH`, or a part of the sentence that says why the gap is not split."""
    weight: Any = None
    validation_weight: Any = None
    loss: Callable[..., Any] | None = None
    """Returns each unit's loss, shape (units,), of targets and outputs, in NumPy; None where Keras' own evaluation of
    whole batches is compared alone."""
    classes: Any = None
    """Class of each unit, shape (samples, ...); None where there are none to count."""
    counted: Any = None
    """Units that are part of the loss; None for all."""
    running: tuple[str, ...] = ()
    """Metrics that can only be had as running means."""
    is_fixed: bool = True
    """Whether training mode does what inference mode does, so that terms can be told from outputs."""
    says: str = ""
    """Part of a sentence beside the ledger."""
    outputs: tuple[str, ...] = ()
    """Names of outputs with a ledger of their own."""
    has_all_batches: bool = True
    """Whether each batch ends with a call of the callbacks, and can be kept."""
    fit: Mapping[str, Any] = field(default_factory=dict)
    validates: bool = True


def _dense(units: int, activation: str | None, loss: Any, metrics: Any = ("accuracy",), **compiling: Any) -> Any:
    return lambda: models.dense(units, activation, loss, list(metrics), **compiling)


_sparse = keras.losses.SparseCategoricalCrossentropy
ONE_HOT = np.eye(3, dtype="float32")[THREE]

KINDS: dict[str, Kind] = {
    # one output, by sample
    "binary": Kind(_dense(1, "sigmoid", "binary_crossentropy"), X, TWO, loss=losses.binary, classes=TWO),
    "sparse": Kind(
        _dense(3, "softmax", "sparse_categorical_crossentropy"), X, THREE, loss=losses.sparse, classes=THREE
    ),
    "one hot": Kind(_dense(3, "softmax", "categorical_crossentropy"), X, ONE_HOT, loss=losses.one_hot, classes=THREE),
    "logits": Kind(_dense(3, None, _sparse(from_logits=True)), X, THREE, loss=losses.sparse_logits, classes=THREE),
    "focal": Kind(_dense(1, "sigmoid", "binary_focal_crossentropy"), X, TWO, loss=losses.focal, classes=TWO),
    "smoothed in the loss": Kind(
        _dense(3, "softmax", keras.losses.CategoricalCrossentropy(label_smoothing=0.2)),
        X,
        ONE_HOT,
        loss=losses.smoothed,
        classes=THREE,
    ),
    "hinge": Kind(_dense(1, "tanh", "hinge", ()), X, 2 * TWO - 1, loss=losses.hinge, classes=TWO),
    "hinge with accuracy": Kind(
        _dense(1, "tanh", "hinge"), X, 2 * TWO - 1, loss=losses.hinge, classes=TWO, says="never counts a target of −1"
    ),
    "ignored class": Kind(
        _dense(3, "softmax", _sparse(ignore_class=-1)),
        X,
        np.where(THREE == 2, -1, THREE),
        loss=losses.sparse,
        classes=THREE,
        counted=THREE != 2,
        says="that the loss leaves out",
    ),
    "soft labels": Kind(
        _dense(1, "sigmoid", "binary_crossentropy"), X, 0.8 * TWO + 0.1, loss=losses.binary, says="mean nothing"
    ),
    "mixed labels": Kind(
        _dense(3, "softmax", "categorical_crossentropy"),
        X,
        0.7 * ONE_HOT + 0.1,
        loss=losses.one_hot,
        says="no hard labels",
    ),
    "divergence of soft labels": Kind(
        _dense(3, "softmax", "kl_divergence"), X, 0.7 * ONE_HOT + 0.1, loss=losses.divergence, says="no hard labels"
    ),
    "regression": Kind(_dense(1, None, "mse", ("mae",)), X, NUMBER, loss=losses.squared),
    "regression with accuracy": Kind(_dense(1, None, "mse"), X, NUMBER * 1.5, loss=losses.squared, says="mean nothing"),
    "squared error of classes": Kind(_dense(1, "sigmoid", "mse"), X, TWO, loss=losses.squared, classes=TWO),
    "counts": Kind(_dense(1, "exponential", "poisson", ()), X, np.abs(NUMBER).round(), loss=losses.poisson),
    "several labels": Kind(_dense(3, "sigmoid", "binary_crossentropy"), X, LABELS, loss=losses.binary_mean),
    "subclassed": Kind(models.subclassed, X, TWO, loss=losses.binary, classes=TWO),
    "two inputs": Kind(models.two_inputs, [X[:, :2], X[:, 2:]], TWO, loss=losses.binary, classes=TWO),
    "batch norm": Kind(models.normed, X, TWO, loss=losses.binary, classes=TWO, is_fixed=False),
    "dropout": Kind(models.dropped, X, TWO, loss=losses.binary, classes=TWO, is_fixed=False),
    "l2": Kind(models.penalised, X, TWO, classes=TWO),
    "eager": Kind(
        _dense(1, "sigmoid", "binary_crossentropy", run_eagerly=True), X, TWO, loss=losses.binary, classes=TWO
    ),
    "three steps a call": Kind(
        _dense(1, "sigmoid", "binary_crossentropy", steps_per_execution=3), X, TWO, has_all_batches=False
    ),
    "areas and shares": Kind(
        lambda: models.dense(1, "sigmoid", "binary_crossentropy", ["accuracy", keras.metrics.AUC(name="auc")]),
        X,
        TWO,
        loss=losses.binary,
        classes=TWO,
    ),
    "a metric of one's own": Kind(
        lambda: models.dense(1, "sigmoid", "binary_crossentropy", [models.Largest(name="largest")]),
        X,
        TWO,
        loss=losses.binary,
        classes=TWO,
        running=("largest",),
    ),
    "no validation": Kind(
        _dense(1, "sigmoid", "binary_crossentropy"), X, TWO, explained="No validation data", validates=False
    ),
    # weights
    "sample weights": Kind(
        _dense(1, "sigmoid", "binary_crossentropy"), X, TWO, weight=WEIGHT, loss=losses.binary, classes=TWO
    ),
    "weights on both sides": Kind(
        _dense(1, "sigmoid", "binary_crossentropy", (), weighted_metrics=["accuracy"]),
        X,
        TWO,
        weight=WEIGHT,
        validation_weight=WEIGHT,
        loss=losses.binary,
        classes=TWO,
    ),
    "class weights": Kind(
        _dense(1, "sigmoid", "binary_crossentropy"),
        X,
        TWO,
        loss=losses.binary,
        classes=TWO,
        fit={"class_weight": {0: 1.0, 1: 2.5}},
    ),
    "divided by weights": Kind(
        _dense(1, "sigmoid", keras.losses.BinaryCrossentropy(reduction="mean_with_sample_weight")),
        X,
        TWO,
        weight=WEIGHT,
        loss=losses.binary,
        classes=TWO,
    ),
    # several units in a sample
    "masked time steps": Kind(
        lambda: models.tagger(mask=True), TOKENS, NEXT, loss=losses.sparse, classes=NEXT, counted=HELD
    ),
    "weighted time steps": Kind(
        lambda: models.tagger(mask=False),
        TOKENS,
        NEXT,
        weight=STEP_WEIGHT,
        validation_weight=STEP_WEIGHT,
        loss=losses.sparse,
        classes=NEXT,
    ),
    "time steps": Kind(lambda: models.tagger(mask=False), TOKENS, NEXT, loss=losses.sparse, classes=NEXT),
    "numbers by time step": Kind(
        lambda: models.tagger(mask=True, units=1, activation=None, loss="mse", metrics=()),
        TOKENS,
        NEXT[..., None].astype("float32"),
        loss=losses.squared_by_step,
        counted=HELD,
    ),
    "pixels": Kind(models.segmenter, IMAGES, PIXELS, loss=losses.binary_by_pixel, classes=PIXELS[..., 0]),
    "ctc": Kind(models.spelled, TOKENS, 1 + NEXT[:, :2]),
    "images": Kind(lambda: models.segmenter("mse", ["mae"]), IMAGES, IMAGES, loss=losses.squared_by_image),
    # several outputs
    "one named output": Kind(models.named, X, {"sure": TWO}, loss=losses.binary, classes=TWO),
    "an output without loss": Kind(models.half_lossless, X, TWO, loss=losses.binary, classes=TWO),
    "two outputs": Kind(models.two_outputs, X, {"sure": TWO, "size": NUMBER}, outputs=("sure", "size")),
    "two outputs, weighted": Kind(
        models.two_outputs, X, {"sure": TWO, "size": NUMBER}, weight=WEIGHT, outputs=("sure", "size")
    ),
    "two outputs, weighted apart": Kind(
        models.two_outputs,
        X,
        {"sure": TWO, "size": NUMBER},
        weight={"sure": WEIGHT, "size": WEIGHT[::-1].copy()},
        explained=BY_BATCH,
        outputs=("sure", "size"),
    ),
    "outputs of other units": Kind(
        models.steps_and_sample,
        TOKENS,
        {"steps": NEXT, "whole": TWO},
        explained=BY_BATCH,
        outputs=("steps", "whole"),
    ),
    # losses of whole batches
    "one number a batch": Kind(_dense(1, "sigmoid", losses.mean_squared), X, TWO, explained=BY_BATCH),
    "one number a batch, class weights": Kind(
        _dense(1, "sigmoid", losses.mean_squared),
        X,
        TWO,
        explained=BY_BATCH,
        fit={"class_weight": {0: 1.0, 1: 4.0}},
    ),
    "dice": Kind(_dense(1, "sigmoid", losses.dice, ()), X, TWO, explained=BY_BATCH),
    "summed": Kind(_dense(1, "sigmoid", keras.losses.BinaryCrossentropy(reduction="sum")), X, TWO, explained=BY_BATCH),
    "samples that see each other": Kind(
        _dense(4, None, losses.contrastive, ()), X, THREE.astype("float32"), explained=BY_SAMPLE
    ),
    "added by a layer": Kind(models.adding_alone, X, None, explained=BY_BATCH),
    "added to the loss": Kind(models.adding, X, TWO, explained=BY_BATCH),
    "added to the loss, weighted": Kind(models.adding, X, TWO, weight=WEIGHT, explained=BY_BATCH),
    "a loss of the model's own": Kind(models.taught, X, TWO, explained=BY_BATCH),
    "state that goes on": Kind(models.remembering, X, TWO, explained="what the batch before has left"),
    "constant added": Kind(models.raised, X, TWO, classes=TWO),
    # steps of the user's own
    "all metrics": Kind(lambda: models.own("metrics"), X, TWO, loss=losses.binary, classes=TWO),
    "renamed tracker": Kind(lambda: models.own("renamed"), X, TWO, loss=losses.binary, classes=TWO),
    "renamed tracker, eager": Kind(
        lambda: models.own("renamed", run_eagerly=True), X, TWO, explained="no step of the model was traced"
    ),
    "batches counted alike": Kind(lambda: models.own("alike"), X, TWO, loss=losses.binary, classes=TWO),
    "plain tensors": Kind(lambda: models.own("plain"), X, TWO, explained="names were not matched"),
    "plain loss": Kind(lambda: models.own("last"), X, TWO, explained="is not the mean of its batches"),
    "no loss": Kind(lambda: models.own("no loss"), X, TWO, explained="names were not matched"),
    "another test step": Kind(lambda: models.own("test"), X, TWO, explained="compute different losses"),
    "an autoencoder with noise": Kind(models.variational, X, None, explained=BY_BATCH, is_fixed=False),
    "two players": Kind(models.adversaries, X, None, explained="no `loss` of single batches", validates=False),
}
"""By name."""
