"""The fast path of an ordinary training batch, in one function: its record, its sums, and the logs that Keras gets.

Next to a step neither code nor data is in the processor's caches: each further call into Python, and each further
object that is looked into, costs a microsecond or more. A batch that is not ordinary takes the slow path, `step_ended`.
"""

import struct
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.probe.passes import LazyBatch, UnpackedBatch, unpack_batch
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.step.instrument import Receiver
from tui_monitor.training.step.packing import Layout, tensor_bytes
from tui_monitor.training.step.replicas import PAYLOAD


class SlowPath(Protocol):
    """Who goes on where there is more to do."""

    def step_ended(self, logs: Any) -> Any:
        """Take a batch by the slow path."""

    def tick(self, seconds: float) -> float:
        """Do what is due a few times a second; return the run's time at which it is due again."""

    def put_again(self, error: Exception, put: Any, epoch: int, row: Sequence[float]) -> float | None:
        """Record a batch whose record failed and return the run's time; None where the record goes elsewhere."""

    def failed(self, error: Exception) -> None:
        """Take the word that recording failed, and raise the error again where it is the user's."""


def fast_path(
    layout: Layout,
    epoch: int,
    totals: EpochTotals,
    kept: Reservoir[LazyBatch],
    writer: RunWriter,
    slow: SlowPath,
    *,
    next_tick: float,
    ends_at: int | None = None,
) -> Receiver:
    """Return the receiver of one epoch's batches.

    Args:
        layout: of the vector of an ordinary batch, with Keras' logs in it.
        epoch: from 1.
        totals: of the epoch, in which all batches so far are.
        kept: batches of the epoch that may be measured later.
        writer: of the run, in the fit whose batches they are.
        slow: who does what is not done here.
        next_tick: the run's time of the next tick.
        ends_at: number of batches of the epoch after which there is more to do; None where there is not.
    """
    last = sys.maxsize if ends_at is None else ends_at - 1
    read, index, begin = layout.read_head, layout.index, layout.begin
    end = begin + 1 + totals.metrics
    names, log_type = layout.logs, layout.log_type
    has_samples, has_separate = bool(layout.segments), None in layout.segments
    head_bytes, sample_bytes = layout.head_bytes, layout.sample_bytes
    put, add, offer, batch = writer.put, totals.add, kept.offer, totals.batches

    def unpack(row: Sequence[float], packed: Any, separate: Sequence[Any]) -> UnpackedBatch:
        return unpack_batch(layout.output((row,), packed, separate), in_training=True)

    def received(logs: Any) -> Any:
        nonlocal batch, next_tick
        try:
            payload = logs[PAYLOAD]
            packed = payload["packed"]
            head = read(packed)
        except (KeyError, TypeError, struct.error):
            return slow.step_ended(logs)
        if head[0] != index or batch >= last:
            return slow.step_ended(logs)
        try:
            row = head[begin:]
            try:
                seconds = put(epoch, int(row[0]), head[begin + 1 : end])
            except Exception as error:  # the record may still be possible, or is counted as lost
                again = slow.put_again(error, put, epoch, row[: end - begin])
                if again is None:
                    return slow.step_ended(logs)
                seconds = again
            add(row)
            if has_samples:
                separate = payload["separate"] if has_separate else ()
                nbytes = head_bytes + sample_bytes * int(row[0]) + sum(map(tensor_bytes, separate))
                offer(batch, nbytes, partial(unpack, row, packed, separate))
            batch += 1
            if seconds >= next_tick:
                next_tick = slow.tick(seconds)
        except Exception as error:  # training must go on
            slow.failed(error)
        return dict(zip(names, map(log_type, head[1:])))  # noqa: B905

    return received
