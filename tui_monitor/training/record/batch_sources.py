"""Where the batches of a `fit` come from: what its training step emits, or else what Keras tells its callbacks."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.training.guard import attempt
from tui_monitor.training.record.batch_reports import BatchReports
from tui_monitor.training.record.batch_sink import BatchSink
from tui_monitor.training.record.failures import FitFailures

if TYPE_CHECKING:
    from tui_monitor.training.step.instrument import Instrument, Receiver
    from tui_monitor.training.step.packing import Rows, StepOutput


class BatchSources:
    """Receives the batches of a `fit` from either source and brings each to the sink, until it is stopped."""

    def __init__(
        self,
        sink: BatchSink,
        failures: FitFailures,
        *,
        steps_ended: Callable[["Instrument", int], None] | None,
    ) -> None:
        """Receive nothing yet.

        Args:
            sink: takes the batches.
            failures: of the fit.
            steps_ended: called after each call of the training function with the number of its steps; None lets
                ordinary batches take the fast path, which calls nothing.
        """
        self._sink = sink
        self._failures = failures
        self._steps_ended = steps_ended
        self._training: Instrument | None = None
        self._claimed: list[Instrument] = []
        self._callbacks: Any = None
        self._reports: BatchReports | None = None
        self._why_reports = ""

    @property
    def is_step(self) -> bool:
        """Whether batches come from the training step, as far as is known."""
        return self._reports is None

    def claim(self, instrument: "Instrument", receive: "Receiver | None" = None) -> "Receiver":
        """Take what a function of the model returns from now on.

        Args:
            instrument: of the function.
            receive: what takes it; None for the function that trains.
        """
        self._claimed.append(instrument)
        if receive is None:
            self._training, receive = instrument, self.step_ended
        instrument.receive = receive
        return receive

    def stop(self) -> None:
        """Leave the model's functions and the callbacks as they were."""
        for instrument in self._claimed:
            # Keras keeps the function for the model's next fit, which must not be taken for this one.
            instrument.release()
        if self._reports is not None:
            self._reports.stop()

    def take_slow_path(self) -> None:
        """Have the next training step take the slow path, unless another fit receives it by now."""
        self._lead(self.step_ended)

    def step_ended(self, logs: Any) -> Any:
        """Record the batches of a training step, whatever it emitted, and return Keras' own logs."""
        instrument = self._training
        assert instrument is not None
        # Logs first: whatever happens to the record, Keras gets what its function returned.
        own, rows, output = instrument.take(logs, self._failures.stop_batches)
        attempt(self._failures.stop_batches, self._step_taken, instrument, rows, output, otherwise=None)
        return own

    def hear(self, callbacks: Any) -> None:
        """Know the list of callbacks that Keras calls in this fit."""
        self._callbacks = callbacks

    def falls_back(self, error: Exception) -> None:
        """Record batches from callbacks, as a step of the model emits nothing."""
        self.use_reports(f"its steps can't be watched ({in_a_line(error)})")

    def use_reports(self, why: str = "") -> None:
        """Record from now on what Keras tells callbacks after each batch.

        Args:
            why: the end of a sentence after "because" that says why nothing better is known; empty if given before.
        """
        failures = self._failures
        self._why_reports = self._why_reports or why
        if not self._why_reports:
            return
        failures.measures = False
        failures.why_nothing_is_measured = f"Nothing is measured, because {self._why_reports}."
        failures.say(f"Batch values are running means, if Keras tells its callbacks any, because {self._why_reports}.")
        if self._callbacks is not None and self._reports is None:
            self._reports = BatchReports(self._callbacks, self._reported, failures.stop_batches)

    def _step_taken(self, instrument: "Instrument", rows: "Rows", output: "StepOutput | None") -> None:
        # Callbacks tell of this batch, too, once they are heard: it must not be recorded twice.
        if self._failures.batches_stopped or self._reports is not None:
            return
        if rows:
            self._rows_emitted(instrument, rows, output)
            # Chosen again after each batch on the slow path: layout, sums and pauses may have changed with it.
            self._lead(self._fast_path(instrument) or self.step_ended)
        elif instrument.plan.failure is not None:
            self.falls_back(instrument.plan.failure)

    def _rows_emitted(self, instrument: "Instrument", rows: "Rows", output: "StepOutput | None") -> None:
        # TensorFlow comes with it, and is there by now; at the top it would be loaded for Keras on JAX, too.
        from tui_monitor.training.probe.batches import unpack_batch

        sink, plan = self._sink, instrument.plan
        totals = sink.totals or sink.begin_batches(plan.metrics, running=plan.running, units=plan.unit_columns)
        for row in rows:
            seconds = sink.put(totals, row)
        if output is not None:
            # Not unpacked yet: most of what is kept is evicted without having been looked at.
            sink.kept.offer(sink.batches - 1, output.nbytes, partial(unpack_batch, output, in_training=True))
        if self._steps_ended is not None:
            self._steps_ended(instrument, len(rows))
        if sink.pauses_at is not None and sink.batches >= sink.pauses_at:
            sink.pause()
        if seconds >= sink.next_tick:
            sink.tick(seconds)

    def _reported(self, values: Mapping[str, float]) -> None:
        """Record a batch from what Keras tells callbacks after it; its size is not known."""
        sink = self._sink
        if self._failures.batches_stopped or not values:
            return
        totals = sink.totals or sink.begin_batches(tuple(values), running=tuple(values))
        seconds = sink.put(totals, (0.0, *(values.get(name, float("nan")) for name in sink.metrics)))
        if seconds >= sink.next_tick:
            sink.tick(seconds)

    def _fast_path(self, instrument: "Instrument") -> "Receiver | None":
        """Return the receiver of further steps like the newest, where there is one that is shorter."""
        layout, sink = instrument.channel.layout, self._sink
        if layout is None or not layout.logs or sink.totals is None:
            return None
        if self._steps_ended or sink.pauses_at is not None or self._failures.batches_stopped:
            return None
        from tui_monitor.training.record.fast_path import fast_path

        return fast_path(layout, sink, sink.totals, self.step_ended, self._failures.batch_failed)

    def _lead(self, receiver: "Receiver") -> None:
        """Have training steps taken by a receiver, unless another fit takes them by now."""
        # A fit inside a callback claims the same function; what it set must not be overwritten from here.
        if self._training is not None and self._training in self._claimed:
            self._training.receive = receiver
