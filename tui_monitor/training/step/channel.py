"""What one step emits to the recorder beside Keras' own logs, and how it gets out of the step's graph."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from tui_monitor.training.step.at_hand import Taken, are_at_hand, at_hand
from tui_monitor.training.step.buffers import StepBuffer, VectorBuffer
from tui_monitor.training.step.marks import MARK, marked
from tui_monitor.training.step.packing import PER_SAMPLE, Layout, Packer, Rows, StepOutput, concatenated, tensor_bytes
from tui_monitor.training.step.replicas import CLOCK, PAYLOAD, SUMS, batch_sums, means_of, several_replicas

_NUMBERS = (SUMS, CLOCK, *StepBuffer.ENTRIES)


class StepChannel:
    """How values leave a model's training or validation function, by as few outputs as the function allows."""

    def __init__(self, steps_per_call: int, *, packed_logs: type[float] | None) -> None:
        """Prepare; the rest is learned while the step is traced.

        Args:
            steps_per_call: `steps_per_execution`, at least 1.
            packed_logs: the type of logs that whoever calls the function takes in place of tensors; None for tensors.
        """
        self._gathered = VectorBuffer() if steps_per_call > 1 else None
        self._packer = Packer(packed_logs or float)
        self._buffer = StepBuffer(steps_per_call) if steps_per_call > 1 else None
        self._packs_logs = packed_logs is not None
        self._metrics = 0
        self._at_hand: Taken = (), None
        """Of the newest step, if it ran eagerly and was not taken yet."""
        self.clock: Sequence[float] = ()
        """Timestamps of the newest step on one of several workers, see `StepTimestamps`; else empty."""

    @property
    def layout(self) -> Layout | None:
        """Of the newest vector that a step emitted; None before there was one."""
        return self._packer.newest

    @property
    def is_at_hand(self) -> bool:
        """Whether a step runs that emits values which are there already, rather than tensors of a graph."""
        return self._buffer is None and tf.executing_eagerly() and not tf.distribute.has_strategy()

    def begin_step(self) -> None:
        """Drop what a step has left that was not taken, as its function has failed after it."""
        self._at_hand = (), None

    def emit(
        self,
        logs: Mapping[str, Any],
        size: Any,
        values: Sequence[Any] = (),
        counts: Sequence[Any] = (),
        parts: Mapping[str, Any] | None = None,
        by_unit: Sequence[Sequence[Any]] = (),
    ) -> Mapping[str, Any]:
        """Return a step's logs with the payload among them; an eager step's is held until it is taken.

        Args:
            logs: Keras' own.
            size: samples in the batch, float32, shape (), or a number.
            values: the batch's own metrics, likewise.
            counts: samples of each class, vectors of float32; arrays where they are at hand.
            parts: nests of tensors with a row for each sample; none where nothing is to be probed.
            by_unit: what `PerSampleMetrics.by_unit` has returned of each output, to be read as `PER_SAMPLE`.
        """
        self._metrics = len(values)
        numbers, parts = [size, *values], parts or {}
        if self.is_at_hand and are_at_hand(numbers, counts, parts, by_unit):
            # Not among the logs: Keras 3 passes them on as an optional, which holds nothing but tensors.
            self._at_hand = at_hand(numbers, counts, parts, by_unit)
            return logs
        # Sums and not means: parts of a batch on other replicas may be of another size.
        if several_replicas():
            sums = batch_sums(size, tf.stack(values) if values else tf.zeros([0]), counts)
            return {**logs, PAYLOAD: _constant({**parts, **self._gathered_units(by_unit), SUMS: sums})}
        # Several steps in one call: Keras returns the last one's logs alone, so numbers go through a buffer.
        if self._buffer is not None:
            noted = self._buffer.note(concatenated([tf.stack(numbers), *counts]))
            return {**logs, PAYLOAD: _constant({**parts, **self._gathered_units(by_unit), **noted})}
        # One vector costs one copy out of the graph, each further tensor another.
        if self._packs_logs and all(_is_scalar(log) for log in logs.values()):
            return {PAYLOAD: _constant(self._packer.pack(logs, numbers, counts, parts, by_unit))}
        return {**logs, PAYLOAD: _constant(self._packer.pack({}, numbers, counts, parts, by_unit))}

    def _gathered_units(self, by_unit: Sequence[Sequence[tf.Tensor]]) -> dict[str, tf.Tensor]:
        """Return what every step of the call gave so far, where Keras would return that of the last one alone."""
        if not by_unit:
            return {}
        vector = tf.concat(marked(by_unit, tf.constant([MARK])), axis=0)
        if self._gathered is None or several_replicas():
            return {PER_SAMPLE: vector}
        return {PER_SAMPLE: self._gathered.note(vector)}

    def logs_alone(self, logs: Any) -> Any:
        """Return Keras' own logs as its function returns them, tensors, and drop the rest."""
        is_packed = isinstance(logs, dict) and "packed" in logs.get(PAYLOAD, {})
        own, _, _ = self.take(logs)
        if is_packed and own is not logs:
            return {name: tf.constant(log, tf.float32) for name, log in own.items()}
        return own

    def take(self, logs: Any) -> tuple[Any, Rows, StepOutput | None]:
        """Return Keras' own logs as they would be, a row for each step, and what is to be looked at later.

        Args:
            logs: what the function returned, its tensors eager.
        """
        # Taken off first: whatever fails below, no callback may see it.
        payload = logs.pop(PAYLOAD, None) if isinstance(logs, dict) else None
        held, self._at_hand = self._at_hand, ((), None)
        if payload is None:
            return logs, *held
        if self._gathered is not None:
            self._gathered.clear()
        if "packed" in payload:
            own, rows, output = self._packer.unpack(payload)
            # Where no logs were packed, Keras' own are what is left of the dictionary.
            return own or logs, rows, output
        if CLOCK in payload:
            self.clock = payload[CLOCK].numpy().tolist()
        if self._buffer is not None and SUMS not in payload:
            rows = self._buffer.read(payload)
        else:
            rows = [means_of(payload[SUMS].numpy(), self._metrics).tolist()]
        nest = {name: part for name, part in payload.items() if name not in _NUMBERS}
        nbytes = sum(map(tensor_bytes, tf.nest.flatten(nest)))
        return logs, rows, StepOutput(rows, nbytes, lambda: nest) if nbytes else None


def _is_scalar(log: Any) -> bool:
    return isinstance(log, tf.Tensor) and log.dtype is tf.float32 and log.shape.rank == 0


def _constant(payload: Any) -> Any:
    """Return a payload that has no gradient: a tape around `fit` would ask for it, and an iterator has none."""
    return tf.nest.map_structure(lambda part: tf.stop_gradient(part) if part.dtype.is_floating else part, payload)
