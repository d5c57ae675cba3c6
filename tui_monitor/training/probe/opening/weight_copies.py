"""Copies of the weights from within epoch 1, for the fresh-batch test: what they say of batches not trained on yet.

A copy is read between two steps into memory of the processor; the model's own variables are only read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import tensorflow as tf

from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.training.backends.graphs import handle_of
from tui_monitor.training.guard import raise_what_is_the_users
from tui_monitor.training.probe.variables import Variables

MOST_BYTES: Final = 256 * 2**20
"""Weights of a model larger than this are not copied."""
_TARGETS: Final = (1 / 4, 1 / 2, 3 / 4)
"""Parts of epoch 1 after which weights are copied, where its number of steps is known; else after each doubling."""
_MANY_STEPS: Final = 16
"""Steps of epoch 1 from which the last of the targets leaves enough batches that were not trained on."""


@dataclass(frozen=True)
class WeightCopy:
    """The values of a model's variables at one moment."""

    batches: int
    """That the model had been trained on in this epoch."""
    values: Mapping[int, tuple[Any, Any]]
    """Handle and value of each variable, by `id` of the handle."""

    def variables(self) -> Variables:
        """Return variables of our own with these values."""
        return Variables({key: value for key, (_, value) in self.values.items()}, replaces_all=True)


class WeightCopies:
    """Copies weights at moments of one epoch, and keeps the two newest copies."""

    def __init__(self, model: Any, epoch: int, steps: int | None) -> None:
        """Begin without a copy.

        Args:
            model: built by the time of the first copy.
            epoch: within which the copies are taken.
            steps: of the epoch, where known.
        """
        self._model = model
        self.epoch = epoch
        parts = _TARGETS if steps and steps >= _MANY_STEPS else _TARGETS[:-1]
        self._targets = [max(1, round(part * steps)) for part in parts] if steps else []
        self.next: int | None = self._targets[0] if steps else 4
        """After how many batches to copy next; None where no more copies are wanted."""
        self.copies: list[WeightCopy] = []
        """The two newest, in their order."""
        self.why_none = ""
        """Why no weights are copied, in a sentence; empty while they are."""

    def copy(self, batches: int) -> None:
        """Copy the weights.

        Args:
            batches: of the epoch that the model has been trained on.
        """
        values: dict[int, tuple[Any, Any]] = {}
        try:
            self.why_none = _why_not(self._model, batches)
            if not self.why_none:
                values = {id(handle): (handle, value) for handle, value in map(_read, self._model.variables)}
        except Exception as error:
            # A variable of a strategy has no single handle: that costs the test alone.
            raise_what_is_the_users(error)
            self.why_none = f"The model's weights can't be copied ({in_a_line(error)})."
        if self.why_none:
            self.next = None
            return
        # Two, as too few batches may be kept after the newest.
        self.copies = [*self.copies, WeightCopy(batches, values)][-2:]
        self.next = next((t for t in self._targets if t > batches), None) if self._targets else 2 * batches


def _why_not(model: Any, batches: int) -> str:
    variables = list(model.variables)
    if any(handle_of(variable) is None for variable in variables):
        return "The model's weights are spread over devices: they are not copied for the fresh-batch test."
    size = sum(int(np.prod(variable.shape)) * tf.as_dtype(variable.dtype).size for variable in variables)
    if size > MOST_BYTES:
        return (
            f"The weights take {size // 2**20} MiB, more than the {MOST_BYTES // 2**20} MiB that a copy for the "
            "fresh-batch test may take."
        )
    iterations = getattr(getattr(model, "optimizer", None), "iterations", None)
    # The optimizer counts all steps of the model's life, so more of them than this epoch's means earlier training.
    if iterations is None or int(iterations.numpy()) > batches:
        return "The model had been trained before this fit, so no batch is known to be new to it."
    return ""


def _read(variable: Any) -> tuple[Any, Any]:
    return handle_of(variable), np.array(variable.numpy())
