"""Three families of tiny models, each with a head of its own: a sigmoid, softmax one-hot, logits of sparse classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.causes.planting import FEATURES
from tests.benchmarks.causes.recipes import Recipe
from tui_monitor.training.demo import EveryBatchCountsTheSame

Array = NDArray[np.float64]
_TINY = 1e-7


@dataclass(frozen=True)
class Family:
    """How one family is built, and what its outputs mean."""

    name: str
    classes: int
    loss: str
    from_logits: bool = False

    def body(self) -> list[Any]:
        """Return the layers between inputs and head."""
        if self.name == "LSTM":
            return [keras.layers.Reshape((6, FEATURES // 6)), keras.layers.LSTM(8, unroll=True)]
        if self.name == "CNN":
            convolution = keras.layers.Conv1D(8, 3, strides=2, activation="relu")
            return [keras.layers.Reshape((FEATURES, 1)), convolution, keras.layers.Flatten()]
        return [keras.layers.Dense(8, activation="relu")]

    def head(self) -> Any:
        """Return the output layer."""
        if self.classes == 2:
            return keras.layers.Dense(1, activation="sigmoid")
        return keras.layers.Dense(self.classes, activation=None if self.from_logits else "softmax")

    def targets(self, labels: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return labels as the family's loss wants them, shape (n,), (n, 1) or (n, classes)."""
        if self.loss == "categorical_crossentropy":
            return np.eye(self.classes, dtype=np.float32)[labels]
        return labels.astype(np.float32)[:, np.newaxis]

    def per_sample(self, labels: NDArray[np.int64], outputs: Array) -> Mapping[str, Array]:
        """Return each sample's loss in nats and 1 where it is right, from the model's outputs, in float64."""
        if self.classes == 2:
            of_one = np.clip(outputs[:, 0], _TINY, 1 - _TINY)
            chosen = np.where(labels == 1, of_one, 1 - of_one)
            return {"loss": -np.log(chosen), "accuracy": ((outputs[:, 0] > 0.5) == labels).astype(float)}
        right = (outputs.argmax(axis=1) == labels).astype(float)
        picked = np.take_along_axis(outputs, labels[:, np.newaxis], axis=1)[:, 0]
        if self.from_logits:
            top = outputs.max(axis=1)
            return {"loss": top + np.log(np.exp(outputs - top[:, np.newaxis]).sum(axis=1)) - picked, "accuracy": right}
        return {"loss": -np.log(np.clip(picked, _TINY, 1 - _TINY)), "accuracy": right}


FAMILIES = {
    family.name: family
    for family in (
        Family("LSTM", 2, "binary_crossentropy"),
        Family("CNN", 3, "categorical_crossentropy"),
        Family("MLP", 4, "sparse_categorical_crossentropy", from_logits=True),
    )
}


def build(family: Family, recipe: Recipe) -> Any:
    """Return the family's compiled model with the layers that a recipe asks for."""
    layers: list[Any] = [keras.layers.Input((FEATURES,))]
    if recipe.noise:
        layers.append(keras.layers.GaussianNoise(recipe.noise))
    if recipe.batch_norm_momentum is not None:
        layers.append(keras.layers.BatchNormalization(momentum=recipe.batch_norm_momentum))
    layers += family.body()
    if recipe.dropout:
        layers.append(keras.layers.Dropout(recipe.dropout))
    layers.append(family.head())
    model = EveryBatchCountsTheSame(layers) if recipe.every_batch_same else keras.Sequential(layers)
    loss: Any = family.loss
    if family.from_logits:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    counted = "weighted_metrics" if recipe.every_batch_same else "metrics"
    model.compile(keras.optimizers.Adam(), loss, **{counted: ["accuracy"]}, jit_compile=False)
    return model
