"""What each cell should have been recorded as: a forward pass and losses in NumPy alone, from the noted weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.training.brute_force import Samples, ledger
from tests.training.matrix.cells import CLASS_WEIGHT, FORMS, SAMPLES, Array, Cell, Data, data_of

_EPSILON = 1e-3
"""Of Keras' batch normalisation."""


def rows_of(cell: Cell, noted: Mapping[str, Any]) -> list[np.ndarray]:
    """Return which samples each batch held, as the model saw them."""
    data = data_of(cell.loss)
    position = {float(value): index for index, value in enumerate(data.x[:, 0])}
    return [np.array([position[float(value)] for value in column]) for column in noted["given"]]


def expected_order(cell: Cell) -> list[np.ndarray] | None:
    """Return which samples each batch of an epoch must hold, or None where Keras draws the order."""
    if FORMS[cell.form].shuffled:
        return None
    return np.split(np.arange(SAMPLES), np.cumsum(FORMS[cell.form].sizes)[:-1])


def batch_metrics(cell: Cell, noted: Mapping[str, Any]) -> tuple[Array, Array]:
    """Return the loss and the metric of every batch at the weights before it, shape (batches,) each."""
    data = data_of(cell.loss)
    weight = training_weight(cell, data)
    losses, metrics = [], []
    for rows, weights in zip(rows_of(cell, noted), noted["before"], strict=True):
        loss, metric = per_sample_metrics(cell, data, rows, outputs(cell, data, rows, weights, training=True))
        losses.append(float((loss * weight[rows]).mean()))
        metrics.append(float(metric.mean()))
    return np.array(losses), np.array(metrics)


def expected_ledger(cell: Cell, noted: Mapping[str, Any], epoch: int, metric: str) -> Mapping[str, float]:
    """Return the brute-force ledger of one epoch, from 0, for `loss` or `accuracy`."""
    data, which = data_of(cell.loss), 0 if metric == "loss" else 1
    rows = rows_of(cell, noted)
    steps = len(rows) // len(noted["epochs"])
    batches, weights = rows[epoch * steps : (epoch + 1) * steps], noted["after"][epoch]
    by_mode = {}
    for training in (True, False):
        parts = [per_sample_metrics(cell, data, part, outputs(cell, data, part, weights, training)) for part in batches]
        by_mode[training] = np.concatenate([part[which] for part in parts])
    held_out = np.arange(SAMPLES, len(data.x))
    validation = per_sample_metrics(cell, data, held_out, outputs(cell, data, held_out, weights, training=False))[which]
    order = np.concatenate(batches)
    weighted = metric == "loss"
    validation_weight = data.sample_weight[held_out].astype(np.float64)
    if not (weighted and FORMS[cell.form].validation_weights):
        validation_weight = np.ones(held_out.size)
    samples = Samples(
        training=by_mode[True],
        inference=by_mode[False],
        weight=training_weight(cell, data)[order] if weighted else np.ones(order.size),
        label=data.label[order],
        sizes=[part.size for part in batches],
        validation=validation,
        validation_weight=validation_weight,
        validation_label=data.label[held_out],
    )
    logs = noted["epochs"][epoch]
    return ledger(samples, logs[metric], logs[f"val_{metric}"])


def training_weight(cell: Cell, data: Data) -> Array:
    """Return what each sample counts in the training loss, shape (n,)."""
    weights = FORMS[cell.form].weights
    if weights == "sample":
        return data.sample_weight.astype(np.float64)
    if weights == "class" and cell.loss != "regression":
        return np.array([CLASS_WEIGHT[int(label)] for label in data.label])
    return np.ones(data.label.size)


def outputs(cell: Cell, data: Data, rows: np.ndarray, weights: Sequence[Sequence[np.ndarray]], training: bool) -> Array:
    """Return the model's outputs for some samples, shape (n, outputs)."""
    (kernel, bias), (gamma, beta, moving_mean, moving_variance), (last_kernel, last_bias) = weights
    hidden = np.maximum(data.x[rows].astype(np.float64) @ kernel + bias, 0.0)
    mean, variance = (hidden.mean(axis=0), hidden.var(axis=0)) if training else (moving_mean, moving_variance)
    normed = (hidden - mean) / np.sqrt(variance + _EPSILON) * gamma + beta
    return np.asarray(normed @ last_kernel + last_bias)


def per_sample_metrics(cell: Cell, data: Data, rows: np.ndarray, out: Array) -> tuple[Array, Array]:
    """Return each sample's loss and metric from the outputs before their activation, shape (n,) each."""
    label, picked = data.label[rows], np.arange(rows.size)
    if cell.loss == "regression":
        error = (out - data.y[rows])[:, 0]
        return error**2, np.abs(error)
    if cell.loss == "sigmoid":
        logit = out[:, 0]
        return np.logaddexp(0.0, logit) - label * logit, ((logit > 0) == label).astype(float)
    largest = out.max(axis=1, keepdims=True)
    normaliser = largest[:, 0] + np.log(np.exp(out - largest).sum(axis=1))
    return normaliser - out[picked, label], (out.argmax(axis=1) == label).astype(float)
