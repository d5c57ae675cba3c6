"""What `fit` is given for each data form of the matrix."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.training.matrix.cells import BATCH, CLASS_WEIGHT, FORMS, SAMPLES, VALIDATION, Cell, data_of

TRAIN, VALID = slice(0, SAMPLES), slice(SAMPLES, SAMPLES + VALIDATION)
HALVES = [slice(SAMPLES, SAMPLES + 8), slice(SAMPLES + 8, SAMPLES + VALIDATION)]


class Feed:
    """The data of one cell, in pieces."""

    def __init__(self, cell: Cell) -> None:
        self.cell, self.form, self.data = cell, FORMS[cell.form], data_of(cell.loss)
        self.weighted = self.form.weights == "sample"
        self.batches = [slice(*ends) for ends in itertools.pairwise(np.cumsum([0, *self.form.sizes]))]

    def x(self, rows: slice) -> Any:
        """Return inputs: an array, a dict of two or a tuple of two."""
        if not self.form.two_inputs:
            return self.data.x[rows]
        two = {"a": self.data.x[rows, :2], "b": self.data.x[rows, 2:]}
        return two if "dict" in self.cell.form else tuple(two.values())

    def rows(self, rows: slice, weighted: bool = False) -> tuple[Any, ...]:
        """Return `(x, y)` or `(x, y, sample_weight)`."""
        pair = (self.x(rows), self.data.y[rows])
        return (*pair, self.data.sample_weight[rows]) if weighted else pair

    def endless(self, batches: list[slice], weighted: bool = False) -> Iterator[tuple[Any, ...]]:
        """Yield batches for ever."""
        while True:
            for rows in batches:
                yield self.rows(rows, weighted)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """A feed's training batches by number."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self.feed = feed

    def __len__(self) -> int:
        return len(self.feed.batches)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self.feed.rows(self.feed.batches[index])


def fit_arguments(cell: Cell) -> dict[str, Any]:
    """Return the data arguments of `fit`, class weights included."""
    feed = Feed(cell)
    given = _FORMS[cell.form.split(",")[0].removeprefix("weighted ")](feed)
    if feed.form.weights == "class" and cell.loss != "regression":
        given["class_weight"] = CLASS_WEIGHT
    return given


def _arrays(feed: Feed) -> dict[str, Any]:
    if feed.cell.form.endswith("validation_split"):
        share = VALIDATION / (SAMPLES + VALIDATION)
        return {"x": feed.x(slice(None)), "y": feed.data.y, "batch_size": BATCH, "validation_split": share}
    given = {"x": feed.x(TRAIN), "y": feed.data.y[TRAIN], "batch_size": BATCH}
    if feed.weighted:
        given["sample_weight"] = feed.data.sample_weight[TRAIN]
    return {**given, "validation_data": feed.rows(VALID, feed.form.validation_weights)}


def _generator(feed: Feed) -> dict[str, Any]:
    return {
        "x": feed.endless(feed.batches, feed.weighted),
        "steps_per_epoch": len(feed.batches),
        "validation_data": feed.endless(HALVES),
        "validation_steps": len(HALVES),
    }


def _dataset(feed: Feed) -> dict[str, Any]:
    slices = tf.data.Dataset.from_tensor_slices
    training = slices(feed.rows(TRAIN, feed.weighted)).batch(BATCH)
    return {"x": training, "validation_data": slices(feed.rows(VALID, feed.form.validation_weights)).batch(8)}


def _repeated(feed: Feed) -> dict[str, Any]:
    once = _dataset(feed)
    steps = {"steps_per_epoch": len(feed.batches), "validation_steps": 3}
    return {"x": once["x"].repeat(), "validation_data": once["validation_data"].repeat(), **steps}


_FORMS: dict[str, Callable[[Feed], dict[str, Any]]] = {
    "arrays": _arrays,
    "dict of arrays": _arrays,
    "generator": _generator,
    "generator of dicts": _generator,
    "PyDataset": lambda feed: {"x": Batches(feed), "shuffle": False, "validation_data": feed.rows(VALID)},
    "tf.data": _dataset,
    "tf.data of tuples": _dataset,
    "tf.data repeated": _repeated,
}
