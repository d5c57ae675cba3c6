"""The way of an ordinary training batch, in one function: its record, its sums, and the logs that Keras gets.

Next to a step neither code nor data is in the processor's caches: each further call into Python, and each further
object that is looked into, costs a microsecond or more. A batch that is not ordinary takes the long way, `step_ended`.
"""

import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.epoch_totals import EpochTotals
from tui_monitor.training.packing import Layout, tensor_bytes
from tui_monitor.training.probe import Kept, KeptBatch, kept_batch
from tui_monitor.training.replicas import PAYLOAD
from tui_monitor.training.reservoir import Reservoir

Way = Callable[[Any], Any]
"""Takes what a step's function returned and returns Keras' own logs."""


class Stations(Protocol):
    """Whom the way leads to when there is more to do."""

    def step_ended(self, logs: Any) -> Any:
        """Take a batch the long way."""

    def look(self, seconds: float) -> float:
        """Do what is due a few times a second; return the run's time at which it is due again."""

    def give_up(self, error: Exception) -> None:
        """Take the word that recording failed."""


def straight_way(
    layout: Layout,
    epoch: int,
    totals: EpochTotals,
    kept: Reservoir[Kept],
    writer: RunWriter,
    stations: Stations,
    *,
    look_at: float,
) -> Way:
    """Return the way of one epoch's batches.

    Args:
        layout: of the vector of an ordinary batch, with Keras' logs in it.
        epoch: from 1.
        totals: of the epoch, in which all batches so far are.
        kept: batches of the epoch that may be measured later.
        writer: of the run, in the phase whose batches they are.
        stations: whom to tell of what is not done here.
        look_at: the run's time from which to have them look.
    """
    read, index, begin = layout.read_head, layout.index, layout.begin
    end = begin + 1 + totals.metrics
    names, log_type = layout.logs, layout.log_type
    has_samples, has_loose = bool(layout.stretches), None in layout.stretches
    head_bytes, sample_bytes = layout.head_bytes, layout.sample_bytes
    put, add, offer, batch = writer.put, totals.add, kept.offer, totals.batches

    def take_out(row: Sequence[float], packed: Any, loose: Sequence[Any]) -> KeptBatch:
        return kept_batch(layout.output((row,), packed, loose), in_training=True)

    def way(logs: Any) -> Any:
        nonlocal batch, look_at
        try:
            payload = logs[PAYLOAD]
            packed = payload["packed"]
            head = read(packed)
        except (KeyError, TypeError, struct.error):
            return stations.step_ended(logs)
        if head[0] != index:
            return stations.step_ended(logs)
        try:
            row = head[begin:]
            try:
                seconds = put(epoch, int(row[0]), head[begin + 1 : end])
            except Exception as error:  # the record may still be possible, or is counted as lost
                if put != writer.put:  # another fit has begun its phase: the long way finds out where to
                    return stations.step_ended(logs)
                seconds = writer.batch_again(error, epoch, row[0], head[begin + 1 : end])
            add(row)
            if has_samples:
                loose = payload["loose"] if has_loose else ()
                nbytes = head_bytes + sample_bytes * int(row[0]) + sum(map(tensor_bytes, loose))
                offer(batch, nbytes, partial(take_out, row, packed, loose))
            batch += 1
            if seconds >= look_at:
                look_at = stations.look(seconds)
        except Exception as error:  # training must go on
            stations.give_up(error)
        return dict(zip(names, map(log_type, head[1:])))  # noqa: B905

    return way
