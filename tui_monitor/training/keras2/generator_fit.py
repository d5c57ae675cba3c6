"""`fit_generator` with its 2018 signature on Keras 3, class weights for generators included."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from tui_monitor.errors import UsageError
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.session import Session


def fit_generator(
    model: keras.Model,
    generator: Any,
    steps_per_epoch: int | None = None,
    epochs: int = 1,
    verbose: int | str = 1,
    callbacks: Sequence[keras.callbacks.Callback] | None = None,
    validation_data: Any = None,
    validation_steps: int | None = None,
    class_weight: Mapping[int, float] | None = None,
    max_queue_size: int = 10,
    workers: int = 1,
    use_multiprocessing: bool = False,
    shuffle: bool = True,
    initial_epoch: int = 0,
    *,
    session: Session | None = None,
) -> keras.callbacks.History:
    """Train on batches from a generator, as `Model.fit_generator` did in Keras 2.

    Args:
        model: compiled.
        generator: yields `(x, y)` or `(x, y, sample_weight)` without end, or a `keras.utils.PyDataset`
            (`Sequence` in Keras 2).
        steps_per_epoch: batches in an epoch; may be left out for a dataset that knows its length.
        epochs: number of the last epoch.
        verbose: 0 silent, 1 progress bar, 2 one line an epoch.
        callbacks: applied as in `fit`.
        validation_data: arrays `(x, y)` or `(x, y, sample_weight)`, a generator, or a dataset.
        validation_steps: batches of validation; needed where validation is a generator.
        class_weight: class index to weight; becomes sample weights, which is what Keras 2 made of it.
        max_queue_size: batches read ahead, for a dataset; a plain generator is read ahead by TensorFlow.
        workers: threads or processes that read a dataset; a plain generator always has one, which keeps its order.
        use_multiprocessing: processes rather than threads, for a dataset.
        shuffle: whether a dataset's batches are visited in random order each epoch; a generator sets its own.
        initial_epoch: epochs counted as done already.
        session: the run that records this training, or None.

    Raises:
        UsageError: a generator without `steps_per_epoch`, or class weights for targets that hold no classes.
    """
    if isinstance(generator, keras.utils.PyDataset):
        generator.workers, generator.use_multiprocessing = workers, use_multiprocessing
        generator.max_queue_size = max_queue_size
        weights = dict(class_weight) if class_weight else None
        arguments: dict[str, Any] = {"x": generator, "shuffle": shuffle, "class_weight": weights}
    else:
        _check_generator(steps_per_epoch, is_parallel=workers > 1 or use_multiprocessing)
        x = generator if class_weight is None else weighted_by_class(generator, class_weight)
        arguments = {"x": x, "shuffle": False}
    _check_validation(validation_data, validation_steps)
    arguments.update(steps_per_epoch=steps_per_epoch, epochs=epochs, initial_epoch=initial_epoch)
    arguments.update(validation_data=validation_data, validation_steps=validation_steps)
    arguments.update(verbose=verbose, callbacks=callbacks)
    return recorded_fit(model.fit, model, session, (), arguments) if session else model.fit(**arguments)


def _check_generator(steps_per_epoch: int | None, *, is_parallel: bool) -> None:
    """Refuse a plain generator whose epochs have no length; say that several workers can't share one."""
    if steps_per_epoch is None:
        raise UsageError(
            "fit_generator: `steps_per_epoch` is missing. A generator never says how many batches an epoch has; "
            "pass steps_per_epoch=samples // batch_size."
        )
    if is_parallel:
        warnings.warn(
            "fit_generator: a plain generator is read by one thread, so that its order stays as it is. "
            "Make it a keras.utils.PyDataset to use several workers.",
            stacklevel=3,
        )


def _check_validation(validation_data: Any, validation_steps: int | None) -> None:
    if validation_steps is None and isinstance(validation_data, Iterator):
        raise UsageError(
            "fit_generator: `validation_steps` is missing. Validation is a generator, which never ends by itself."
        )


def weighted_by_class(generator: Any, class_weight: Mapping[int, float]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield the generator's batches with each sample's class weight as its sample weight.

    A sample weight that is there already is multiplied, as in Keras. Classes without a weight count 1.

    Args:
        generator: yields `(x, y)` or `(x, y, sample_weight)`.
        class_weight: class index to weight.

    Raises:
        UsageError: targets hold no classes (several outputs, or values that are no class index).
    """
    highest = max(class_weight, default=0)
    table = np.ones(highest + 1, dtype=np.float32)
    table[list(class_weight)] = list(class_weight.values())
    for batch in generator:
        x, y, *given = batch
        weight = _weights_of(y, table)
        yield x, y, weight * np.asarray(given[0], dtype=np.float32) if given and given[0] is not None else weight


def _weights_of(y: Any, table: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    targets = np.asarray(y) if not isinstance(y, dict | list | tuple) else None
    if targets is None or targets.ndim > 2:
        raise UsageError(
            "fit_generator: class_weight needs one output with one class per sample. "
            "Yield (x, y, sample_weight) from the generator instead."
        )
    one_hot = targets.ndim == 2 and targets.shape[1] > 1
    labels = targets.argmax(axis=1) if one_hot else targets.reshape(-1)
    if not np.array_equal(labels, np.floor(labels)):
        raise UsageError("fit_generator: class_weight needs class indices or one-hot rows as targets.")
    indices = labels.astype(np.int64)
    inside = (indices >= 0) & (indices < table.size)
    return np.where(inside, table[np.clip(indices, 0, table.size - 1)], np.float32(1.0)).astype(np.float32)
