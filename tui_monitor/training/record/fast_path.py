"""The fast path of an ordinary training batch: a shorter unpacking, in one function, in front of the sink.

Next to a step neither code nor data is in the processor's caches: each further call into Python, and each further
object that is looked into, costs a microsecond or more. A batch that is not ordinary takes the slow path, `step_ended`.
"""

import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tui_monitor.training.guard import Failed
from tui_monitor.training.probe.batches import UnpackedBatch, unpack_batch
from tui_monitor.training.record.batch_sink import BatchSink
from tui_monitor.training.record.epoch_totals import EpochTotals
from tui_monitor.training.step.packing import Layout, tensor_bytes
from tui_monitor.training.step.replicas import PAYLOAD


def fast_path(
    layout: Layout, sink: BatchSink, totals: EpochTotals, slow_path: Callable[[Any], Any], failed: Failed
) -> Callable[[Any], Any]:
    """Return the receiver of the further batches of an epoch.

    Args:
        layout: of the vector of an ordinary batch, with Keras' logs in it.
        sink: takes the batches.
        totals: of the epoch.
        slow_path: receives what is no ordinary batch.
        failed: told of a failure; it raises again what is the user's.
    """
    read, index, begin = layout.read_head, layout.index, layout.begin
    names, log_type = layout.logs, layout.log_type
    has_samples, has_separate = bool(layout.segments), None in layout.segments
    head_bytes, sample_bytes = layout.head_bytes, layout.sample_bytes
    put, offer = sink.put, sink.kept.offer

    def unpack(row: Sequence[float], packed: Any, separate: Sequence[Any]) -> UnpackedBatch:
        return unpack_batch(layout.output((row,), packed, separate), in_training=True)

    def received(logs: Any) -> Any:
        try:
            payload = logs[PAYLOAD]
            packed = payload["packed"]
            head = read(packed)
        # No payload, logs of another form, or a vector shorter than this layout: nothing was recorded yet.
        except (KeyError, TypeError, struct.error):
            return slow_path(logs)
        if head[0] != index:
            return slow_path(logs)
        try:
            row = head[begin:]
            seconds = put(totals, row)
            if has_samples:
                separate = payload["separate"] if has_separate else ()
                nbytes = head_bytes + sample_bytes * int(row[0]) + sum(map(tensor_bytes, separate))
                offer(totals.batches - 1, nbytes, partial(unpack, row, packed, separate))
            if seconds >= sink.next_tick:
                sink.tick(seconds)
        except Exception as error:  # training must go on
            failed(error)
        # Also after a failure: Keras gets its own logs, and the payload goes with the old dictionary.
        return dict(zip(names, map(log_type, head[1:])))  # noqa: B905

    return received
