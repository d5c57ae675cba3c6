"""The cells of the matrix: a data form, a model style and a loss, with the data they all train on."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SAMPLES, VALIDATION, BATCH, EPOCHS = 44, 20, 10, 2
CLASS_WEIGHT = {0: 1.0, 1: 1.75, 2: 0.6}

STYLES = ("sequential", "functional", "subclassed")
LOSSES = ("sigmoid", "softmax", "sparse", "logits", "regression")


@dataclass(frozen=True)
class Form:
    """A way of giving data to `fit`."""

    weights: str = ""
    """`class` or `sample` where training is weighted, by the classes (of a classifier) or in the data."""
    validation_weights: bool = False
    two_inputs: bool = False
    sizes: tuple[int, ...] = (10, 10, 10, 10, 4)
    """Samples of each batch."""
    shuffled: bool = False
    """Whether Keras draws the order of the samples."""


FORMS = {
    "arrays, validation_split": Form(shuffled=True),
    "arrays, validation_data, class_weight": Form(weights="class", shuffled=True),
    "arrays, sample_weight": Form(weights="sample", validation_weights=True, shuffled=True),
    "generator": Form(sizes=(7, 20, 1, 16)),
    "weighted generator": Form(weights="sample", sizes=(7, 20, 1, 16)),
    "PyDataset, class_weight": Form(weights="class", sizes=(7, 20, 1, 16)),
    "tf.data": Form(),
    "tf.data, class_weight": Form(weights="class"),
    "tf.data repeated, weighted": Form(weights="sample", validation_weights=True),
    "dict of arrays": Form(two_inputs=True, shuffled=True),
    "tf.data of tuples": Form(two_inputs=True, weights="sample"),
    "generator of dicts": Form(two_inputs=True, sizes=(7, 20, 1, 16)),
}


@dataclass(frozen=True)
class Cell:
    """One fit of the matrix."""

    form: str
    style: str
    loss: str

    def __str__(self) -> str:
        return f"{self.form} | {self.style} | {self.loss}"


def all_cells() -> Iterator[Cell]:
    """Yield every cell that Keras can train: a Sequential model takes no two inputs."""
    for form, style, loss in itertools.product(FORMS, STYLES, LOSSES):
        if not (FORMS[form].two_inputs and style == "sequential"):
            yield Cell(form, style, loss)


def covering_cells() -> list[Cell]:
    """Return few cells that hold every form with two styles and with two losses, and every style with every loss."""
    cells = []
    for index, form in enumerate(FORMS):
        possible = [style for style in STYLES if Cell(form, style, LOSSES[0]) in set(all_cells())]
        cells += [
            Cell(form, possible[(index + turn) % len(possible)], LOSSES[(3 * index + turn) % len(LOSSES)])
            for turn in range(2)
        ]
    return cells


@dataclass(frozen=True)
class Data:
    """Training samples first, then validation's."""

    x: NDArray[np.float32]
    """Shape (n, 4); no two rows begin alike, so that a row tells which sample it is."""
    y: NDArray[np.float32]
    label: NDArray[np.int64]
    """Class of each sample; 0 in a regression."""
    sample_weight: NDArray[np.float32]


def data_of(loss: str) -> Data:
    """Return noisy samples with targets as the loss wants them; validation is harder."""
    draws = np.random.default_rng(0)
    count = SAMPLES + VALIDATION
    x = draws.normal(size=(count, 4)).astype(np.float32)
    signal = x[:, 0] + draws.normal(size=count) * np.where(np.arange(count) < SAMPLES, 0.5, 2.0)
    weight = draws.uniform(0.2, 3.0, count).astype(np.float32)
    if loss == "regression":
        return Data(x, signal.astype(np.float32).reshape(-1, 1), np.zeros(count, dtype=np.int64), weight)
    cuts = (0.4,) if loss == "sigmoid" else (-0.5, 0.6)
    label = np.digitize(signal, cuts)
    y = np.eye(3, dtype=np.float32)[label] if loss == "softmax" else label.astype(np.float32)
    return Data(x, y, label, weight)


def outputs_of(loss: str) -> tuple[int, str]:
    """Return how many outputs the model has, and their activation."""
    return {
        "sigmoid": (1, "sigmoid"),
        "softmax": (3, "softmax"),
        "sparse": (3, "softmax"),
        "logits": (3, "linear"),
        "regression": (1, "linear"),
    }[loss]
