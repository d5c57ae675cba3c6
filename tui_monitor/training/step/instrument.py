"""One training or validation function of a model, as Keras made it, with a payload in what its step returns.

The function is the one that Keras calls, keeps and reuses; the payload is taken off before anybody sees the logs.
"""

import functools
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import tensorflow as tf

from tui_monitor.training.backends import capture as captures
from tui_monitor.training.backends import graphs
from tui_monitor.training.backends.backend import Backend, StandIn, backend_of
from tui_monitor.training.backends.capture import Capture
from tui_monitor.training.guard import Failed, attempt, ignored, tell
from tui_monitor.training.step.alike import AlikeSteps
from tui_monitor.training.step.batch_metrics import BatchMetrics
from tui_monitor.training.step.channel import StepChannel
from tui_monitor.training.step.packing import Rows, StepOutput
from tui_monitor.training.step.payload import (
    OUTPUTS,
    StepPlan,
    Trace,
    batch_values,
    is_scalar,
    learn,
    leaves,
    own_values,
    samples_in,
    unpacked,
)
from tui_monitor.training.step.per_sample_metrics import NO_LOSS, PerSampleMetrics
from tui_monitor.training.step.replicas import PAYLOAD
from tui_monitor.training.step.sample_tensors import SampleTensors
from tui_monitor.training.workers.clock import StepTimestamps

Step = Callable[[Any], Any]
Receiver = Callable[[Any], Any]
"""Takes what a function returned and returns Keras' own logs."""
_Sample = tuple[PerSampleMetrics, SampleTensors]
"""How to read one output of a step, and where."""

_READERS = ("fit", "evaluate", "train_on_batch", "test_on_batch", "make_train_function", "make_test_function")
"""Methods in which a model of the user's own may read a function's logs as tensors."""
_LOGGING = ("compute_metrics", "get_metrics_result", "metrics")
"""Methods that decide, beside the step itself, which tracker a log is the value of."""
_MOST_TRACES = 8


class Kind(StrEnum):
    """Which of a model's steps."""

    TRAINING = "train_step"
    VALIDATION = "test_step"


class _Proxy(StandIn):
    """Stands for a `tf.function`, and differs from it in nothing but the logs that it returns."""

    def __init__(self, function: Any, instrument: "Instrument") -> None:
        super().__init__(function)
        self._self_tui_monitor = instrument

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run steps and return Keras' own logs."""
        try:
            receive: Any = self._self_tui_monitor.receive
        except Exception as error:  # training must go on
            receive = tell(ignored, error)
        logs = self.__wrapped__(*args, **kwargs)
        try:
            return receive(logs)
        except Exception as error:  # training must go on
            return _bare(self._self_tui_monitor, logs, error)


def _received(made: Any, instrument: "Instrument") -> Any:
    """Wrap a function so that its instrument takes the payload off; a plain function stays a plain function."""
    if not isinstance(made, types.FunctionType):
        return _Proxy(made, instrument)

    @functools.wraps(made)
    def function(iterator: Any) -> Any:
        try:
            receive: Any = instrument.receive
        except Exception as error:  # training must go on
            receive = tell(ignored, error)
        logs = made(iterator)
        try:
            return receive(logs)
        except Exception as error:  # training must go on
            return _bare(instrument, logs, error)

    function._self_tui_monitor = instrument  # type: ignore[attr-defined]
    return function


def _bare(instrument: "Instrument", logs: Any, error: Exception) -> Any:
    """Return logs without a payload that can't be unpacked; where the logs are in it, those that Keras has itself."""
    try:
        own = {name: log for name, log in logs.items() if name != PAYLOAD} if isinstance(logs, dict) else logs
    except Exception:  # training must go on
        own = None
    tell(instrument.said, error)
    return own or instrument.model.get_metrics_result()


def instrument_of(function: Any) -> "Instrument | None":
    """Return the instrument in a model's training or validation function, or None."""
    found: Instrument | None = getattr(function, "_self_tui_monitor", None)
    return found


@dataclass(frozen=True)
class _Noting:
    """What notes one call of a step."""

    capture: Capture
    outer: Capture | None
    """What noted before, in this thread."""
    timestamps: StepTimestamps


class Instrument:
    """What was built to watch one function of a model."""

    def __init__(
        self,
        model: Any,
        kind: Kind,
        claim: Callable[["Instrument"], Receiver | None],
        said: Failed = ignored,
        *,
        probed: bool,
    ) -> None:
        """Prepare; the rest is learned while the step is traced.

        Args:
            model: whose function it is.
            kind: which step the function runs.
            claim: returns who records the model at the moment, asked at each call until there is somebody.
            said: told where a function's logs can't be taken.
            probed: whether batches may be measured.
        """
        self.model = model
        self.said = said
        self.kind = kind
        self.backend: Backend = backend_of(model)
        steps = self.backend.steps_per_call(model)
        packed_logs = self.backend.log_type if _is_run_by_keras(model, self.backend) else None
        self.channel = StepChannel(steps, packed_logs=packed_logs)
        self.plan = StepPlan(probed=probed, steps_per_call=steps)
        self._own_step: Any = None
        """Of Keras, if it is that which ran last."""
        self.traces: list[Trace] = []
        """Newest last; a function is traced anew for other shapes."""
        self.structure: Mapping[str, Any] = {}
        """Of the newest batch by role; 0 stands for a leaf, None for one that was left out."""
        self.probe: Any = None
        """What measures batches of this function, once there is one."""
        self.is_armed = False
        """Whether the step emits a payload: from when somebody is there to take it off."""
        several = steps > 1 or tf.distribute.get_strategy().num_replicas_in_sync > 1
        self._alike = AlikeSteps() if several else None
        self._claim = claim
        self._copies = BatchMetrics(self.backend, model)
        self.receive: Receiver
        """Takes what the function returned; a recorder may put another receiver in its place, and `release` it."""
        self.release()

    def release(self) -> None:
        """Have the payload taken off and dropped, until somebody claims it."""
        self.receive = self._unclaimed

    def function(self, made: Any) -> Any:
        """Return a function that runs the instrument's step as one that takes the payload off."""
        function = _received(made, self)
        # Last: had the function not been made, a payload would be in logs that callbacks get.
        self.is_armed = True
        return function

    def step(self, find: Callable[[], Step], plain: Step) -> Step:
        """Return a step with a payload in its logs; the user's code in it runs once, as it would without.

        Args:
            find: returns the model's own step when it is to run.
            plain: the step to run where that fails.
        """

        def recorded_step(*given: Any) -> Any:
            # The batch comes last: legacy Keras finds this as a method of the model, which is given first then.
            try:
                found = find()
                own, noting = graphs.converted_as_by(sys._getframe(1), found), self._begun(found)
            except Exception as error:  # training must go on
                tell(self.failed, error)
                own, noting = plain, None
            try:
                logs = own(given[-1])
            finally:
                if noting is not None:
                    # Even where the user's step raises, or this thread would go on noting for nobody.
                    self._ended(noting)
            emitted = None
            try:
                emitted = None if noting is None else self._emitted(logs, given[-1], noting)
            except Exception as error:  # training must go on
                tell(self.failed, error)
            try:
                return self._settled(logs, emitted)
            except Exception as error:  # training must go on
                tell(self.failed, error)
                return logs if emitted is None else emitted

        return graphs.called_as_it_is(recorded_step)

    def _begun(self, step: Step) -> "_Noting | None":
        """Begin to note what a call of the step passes by; None where nobody takes a payload."""
        self.channel.begin_step()
        if not self.is_armed:
            return None
        function = getattr(step, "__func__", step)
        if function is not self._own_step:
            is_own = self.backend.is_own(function)
            self._own_step = function if is_own else None
            self.plan.shown = set() if is_own and not _overrides(self.model, self.backend, _LOGGING) else None
        timestamps, capture = StepTimestamps(self.model), Capture()
        return _Noting(capture, captures.begin(capture), timestamps)

    def _settled(self, logs: Any, emitted: Any) -> Any:
        """Return what a step returns, alike for all of a trace; without a payload where that could not be made."""
        if self._alike is not None and isinstance(logs, dict):
            return self._alike.settled(logs, emitted)
        return logs if emitted is None else emitted

    def _ended(self, noting: "_Noting") -> None:
        try:
            captures.end(noting.outer)
        except Exception as error:  # training must go on
            tell(self.failed, error)

    def take(self, logs: Any, failed: Failed) -> tuple[Any, Rows, StepOutput | None]:
        """Return Keras' own logs, a row for each step, and what was emitted to be measured later.

        Args:
            logs: what the function returned.
            failed: told of a failure, after which the logs are those that Keras has for the epoch so far.
        """
        try:
            own, rows, output = self.channel.take(logs)
        except Exception as error:  # training must go on
            tell(failed, error)
            return _bare(self, logs, error), (), None
        return (own, (), None) if self._alike is not None and self._alike.is_empty else (own, rows, output)

    def failed(self, error: Exception) -> None:
        """Keep why a step emits nothing; whoever records it says so."""
        self.plan.failure = self.plan.failure or error

    def _unclaimed(self, logs: Any) -> Any:
        receiver = attempt(self.said, self._claim, self, otherwise=None)
        return self.channel.logs_alone(logs) if receiver is None else receiver(logs)

    def _emitted(self, logs: Any, data: Any, noting: "_Noting") -> Any:
        capture = noting.capture
        if not isinstance(logs, dict) or not leaves(logs):
            return logs
        if capture.failure is not None:
            # Kept until here, as nothing may be raised inside the code of Keras that was noting.
            raise capture.failure
        parts = unpacked(self.backend, data)
        self.structure = {role: _structure(nest) for role, nest in parts.items()}
        emitted = (
            self._training(logs, parts, capture)
            if self.kind is Kind.TRAINING
            else self._validation(logs, parts, capture)
        )
        return noting.timestamps.emitted(emitted, data)

    def _training(self, logs: dict[str, Any], parts: dict[str, Any], capture: Capture) -> Any:
        data = (parts["y"], capture.y_pred, parts["sample_weight"])
        values = batch_values(self.plan, self.backend, self.model, logs, capture, self._copies, data)
        loss = None if "loss" in self.plan.running else values.get("loss")
        trace = self._learned(parts, capture, loss)
        size, numbers = samples_in(parts, capture), list(values.values())
        if trace is None or not self.plan.probed:
            return self.channel.emit(logs, size, numbers)
        outputs = {f"{OUTPUTS}{index:03}": tensor for index, tensor in enumerate(trace.outputs)}
        return self.channel.emit(logs, size, numbers, self._counts(self._samples(trace)), {**_named(trace), **outputs})

    def _validation(self, logs: dict[str, Any], parts: dict[str, Any], capture: Capture) -> Any:
        loss = None
        if self.plan.probed and is_scalar(logs.get("loss")):
            own = {"loss": tf.convert_to_tensor(logs["loss"])}
            loss = own_values(self.plan, self.backend, self.model, own, capture).get("loss")
        trace = self._learned(parts, capture, loss)
        size = samples_in(parts, capture)
        if trace is None or not self.plan.probed:
            return self.channel.emit(logs, size)
        samples, by_unit = self._samples(trace), list[Sequence[Any]]()
        if self.model.jit_compile:
            # XLA fuses otherwise what is also read, which rounds otherwise: a compiled step emits its data alone.
            loss = None
        else:
            by_unit = [metrics.by_unit(sample) for metrics, sample in samples]
        value = tf.constant(NO_LOSS) if loss is None else loss
        return self.channel.emit(logs, size, [value], self._counts(samples, by_unit), _named(trace), by_unit)

    def _learned(self, parts: dict[str, Any], capture: Capture, loss: Any) -> Trace | None:
        trace = learn(self.plan, self.backend, self.model, parts, capture, loss)
        # An eager step leaves no graph to cut a piece from; each trace that is kept holds a whole graph in memory.
        if trace is not None and any(graphs.graph_of(leaf) is not None for leaf in leaves(trace.inputs)):
            self.traces = [*self.traces, trace][-_MOST_TRACES:]
        return trace

    def _counts(self, samples: Sequence[_Sample], by_unit: Sequence[Sequence[Any]] = ()) -> list[Any]:
        """Return how many units of each output are what, one after the other, see `PerSampleMetrics.counts`."""
        given = zip(samples, by_unit or [()] * len(samples), strict=True)
        return [metrics.counts(sample, of) for (metrics, sample), of in given if metrics.counts_width]

    def _samples(self, trace: Trace) -> list[_Sample]:
        """Return how to read each output of a step, and where; arrays where the channel holds what is at hand."""
        at_hand = self.channel.is_at_hand
        samples = (sample.at_hand() if at_hand else sample for sample in trace.samples)
        return list(zip(self.plan.outputs, samples, strict=True))


def _structure(nest: Any) -> Any:
    return tf.nest.map_structure(lambda leaf: None if leaf is None else 0, nest)


def _named(trace: Trace) -> dict[str, Any]:
    """Return the leaves of a batch under names whose order is theirs, see `probe.passes.unpack_batch`."""
    return {f"{role}{index:03}": leaf for role, given in trace.inputs.items() for index, leaf in enumerate(given)}


def _is_run_by_keras(model: Any, backend: Backend) -> bool:
    """Whether nobody but Keras reads what the model's functions return."""
    # An override may print the logs, or compute with them: it must find tensors, as Keras returns them.
    return not _overrides(model, backend, _READERS)


def _overrides(model: Any, backend: Backend, names: Sequence[str]) -> bool:
    """Whether the user's own code stands under one of some names of a model."""
    classes = (base for base in type(model).__mro__ if not backend.is_own(base))
    held = [vars(model), *map(vars, classes)]
    return any(name in each for each in held for name in names)
