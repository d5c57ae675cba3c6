"""How long a worker waits for the others in a step, by its own clock inside the step; no other worker is asked.

A worker whose data or gradients are ready waits until the slowest is ready, too: the one that waits least holds up
the rest.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import tensorflow as tf

from tui_monitor.run_log.events.usage import StepsTimed
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.backends.graphs import trains_on_several_workers
from tui_monitor.training.backends.shared_names import may_be_compiled_by_xla
from tui_monitor.training.step.replicas import CLOCK, PAYLOAD

_EVENT_SECONDS = 1.0


class StepTimestamps:
    """Adds timestamps to one step while it is traced; values, random draws and order of the step stay as they are."""

    def __init__(self, model: Any) -> None:
        """Begin before the step is traced.

        Args:
            model: whose step it is.
        """
        # XLA can't compile a clock, and an eager step has no graph to look through.
        fits = trains_on_several_workers(model) and not tf.executing_eagerly() and not may_be_compiled_by_xla(model)
        self._graph = tf.compat.v1.get_default_graph() if fits else None
        self._before = len(self._graph.get_operations()) if self._graph is not None else 0

    def emitted(self, logs: dict[str, Any], data: Any) -> dict[str, Any]:
        """Return what the step emits with its timestamps in the payload, unchanged where they can't be known.

        They are float64 of shape (4,), seconds of the host's clock: when this worker had its data, when all had theirs,
        when this worker had its gradients, and when the gradients of all were exchanged.

        Args:
            logs: what the step emits, a payload of one of several replicas included.
            data: what the step was given.
        """
        if self._graph is None:
            return logs
        # Read off the graph, since nothing may be added before an exchange: workers must agree on their order.
        operations = self._graph.get_operations()
        # The iterator asks all workers whether there is more; the step's first exchange is that of the gradients.
        asking = next(filter(_is_exchange, reversed(operations[: self._before])), None)
        exchange = next(filter(_is_exchange, operations[self._before :]), None)
        if exchange is None:
            return logs
        given = tf.nest.flatten(data, expand_composites=True)
        fetched = _timestamp_after([asking.inputs[0]] if asking is not None else given)
        begun, computed, exchanged = map(_timestamp_after, (given, [exchange.inputs[0]], [exchange]))
        return {**logs, PAYLOAD: {**logs[PAYLOAD], CLOCK: tf.stack([fetched, begun, computed, exchanged])}}


def _is_exchange(operation: Any) -> bool:
    return bool(operation.type.startswith("CollectiveReduce"))


def _timestamp_after(done: Any) -> tf.Tensor:
    with tf.control_dependencies(done):
        return tf.timestamp()


@dataclass
class _Sums:
    batches: int = 0
    fetching: float = 0.0
    computing: float = 0.0
    waiting: float = 0.0


class WorkerPace:
    """Adds up where a worker's time goes, and writes it down about once a second."""

    def __init__(self, writer: RunWriter) -> None:
        """Begin with nothing.

        Args:
            writer: of this worker's own records.
        """
        self._writer = writer
        self._sums = _Sums()
        self._exchanged: float | None = None
        self._written = time.monotonic()

    def begin_epoch(self) -> None:
        """Leave out what passed since the last batch: validation and measuring."""
        self._exchanged = None

    def batch_ended(self, timestamps: Sequence[float]) -> None:
        """Take in a step's timestamps, as `StepTimestamps` noted them; empty where it has none."""
        if not timestamps:
            return
        fetched, begun, computed, exchanged = timestamps[:4]
        before, self._exchanged = self._exchanged, exchanged
        # Within one epoch alone: between two, what passes is validation and measuring, not fetching.
        if before is not None:
            self._sums.batches += 1
            # Never below 0: timestamps are those of the wall clock, which may be set back while training runs.
            self._sums.fetching += max(fetched - before, 0.0)
            self._sums.computing += max(computed - begun, 0.0)
            self._sums.waiting += max(begun - fetched, 0.0) + max(exchanged - computed, 0.0)
        if time.monotonic() - self._written >= _EVENT_SECONDS:
            self.write()

    def write(self) -> None:
        """Write down what was added up since the last time, in seconds."""
        if self._sums.batches:
            self._writer.event(StepsTimed(**asdict(self._sums)))
        self._sums = _Sums()
        self._written = time.monotonic()
