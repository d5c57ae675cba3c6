"""A model's steps with a payload, traced once and used by every `fit` until the model is compiled anew."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from tui_monitor.training.engines import Engine, engine_of
from tui_monitor.training.payload import (
    StepPlan,
    training_step,
    validation_step,
    watch_means,
    watched_loss,
)
from tui_monitor.training.probe import Probe
from tui_monitor.training.replicas import join_replicas
from tui_monitor.training.step_output import StepChannel
from tui_monitor.training.straight_way import Way

_ATTRIBUTE = "_tui_monitor_instruments"
_STEPS = ("train_step", "test_step")
_READERS = ("fit", "evaluate", "make_train_function", "make_test_function")
"""Methods in which a model of the user's own may read a function's logs as tensors."""
_FUNCTIONS = {"make_train_function": "train_function", "make_test_function": "test_function"}


class PayloadTaker(Protocol):
    """Whoever records at the moment. Its methods take what a step returned and return Keras' own logs."""

    def step_ended(self, logs: Any) -> Any:
        """Take a training step."""

    def validation_step_ended(self, logs: Any) -> Any:
        """Take a validation step."""


class Instruments:
    """What was built to watch one compiled model."""

    def __init__(self, model: Any, *, probed: bool) -> None:
        self._probe: Probe | None = None
        self._engine = engine_of(model)
        self._compiled = self._engine.compiled_parts(model)
        steps = self._engine.steps_per_call(model)
        packed_logs = self._engine.log_type if _is_run_by_keras(model, self._engine) else None
        self.training_channel = StepChannel(steps, packed_logs=packed_logs)
        self.plan = StepPlan(probed=probed, steps_per_call=steps)
        is_compiled = bool(model.jit_compile)
        self.validation_channel = StepChannel(steps, packed_logs=packed_logs, is_compiled=is_compiled)
        self._built: dict[str, Any] = {}
        self.step_ended: Way
        """Takes a training step; the taker inside `installed`, and nobody else, may put another way in its place."""
        self.validation_step_ended: Way
        self._let_pass()

    def probe(self, model: Any) -> Probe:
        """Return the model's probe; its functions are traced when first used.

        Args:
            model: the one these instruments belong to, whose step has run at least once.
        """
        if self._probe is None:
            assert self.plan.figures is not None
            self._probe = Probe(model, self.plan.figures)
        return self._probe

    def still_fit(self, model: Any, *, probed: bool) -> bool:
        """Whether the model is still compiled as it was, and wanted for the same."""
        if probed != self.plan.probed:
            return False
        now = self._engine.compiled_parts(model)
        return all(part is other or part == other for part, other in zip(self._compiled, now, strict=True))

    @contextlib.contextmanager
    def installed(self, model: Any, taker: PayloadTaker) -> Iterator[None]:
        """Let the model's steps hand out their payload to `taker` inside the block; outside, it is as it was."""
        losses = self._engine.loss_methods
        kept = {name: model.__dict__.get(name) for name in (*_STEPS, *losses, *_FUNCTIONS)}
        functions = {name: getattr(model, name) for name in _FUNCTIONS.values()}
        replacements = {
            "train_step": training_step(model, model.train_step, self.plan, self.training_channel),
            "test_step": validation_step(model, model.test_step, self.plan, self.validation_channel),
            **{name: watched_loss(getattr(model, name)) for name in losses},
            **{maker: self._maker(model, maker) for maker in _FUNCTIONS},
        }
        watch_means(self._engine, model)
        join_replicas(self._engine.trainer)
        self.step_ended, self.validation_step_ended = taker.step_ended, taker.validation_step_ended
        for name, value in replacements.items():
            object.__setattr__(model, name, value)
        for name in functions:
            setattr(model, name, self._built.get(name))
        try:
            yield
        finally:
            self._let_pass()
            for name, value in kept.items():
                if value is None:
                    object.__delattr__(model, name)
                else:
                    object.__setattr__(model, name, value)
            for name, function in functions.items():
                setattr(model, name, function)

    def _let_pass(self) -> None:
        """Have steps recorded by nobody, should somebody keep their function and call it later."""
        self.step_ended, self.validation_step_ended = (
            functools.partial(_keras_logs, channel) for channel in (self.training_channel, self.validation_channel)
        )

    def _maker(self, model: Any, maker: str) -> Callable[..., Any]:
        """Return a `make_..._function` whose function takes the payload off the logs before Keras sees them."""
        make, attribute = getattr(model, maker), _FUNCTIONS[maker]

        def make_function(force: bool = False) -> Any:
            made = getattr(model, attribute)
            if made is not None and made is self._built.get(attribute) and not force:
                return made
            make(force)
            inner = getattr(model, attribute)

            def training_function(iterator: Any) -> Any:
                logs = inner(iterator)
                return self.step_ended(logs)

            def validation_function(iterator: Any) -> Any:
                logs = inner(iterator)
                return self.validation_step_ended(logs)

            function = training_function if attribute == "train_function" else validation_function
            self._built[attribute] = function
            setattr(model, attribute, function)
            return function

        return make_function


def _keras_logs(channel: StepChannel, logs: Any) -> Any:
    return channel.take(logs)[0]


def _is_run_by_keras(model: Any, engine: Engine) -> bool:
    """Whether nobody but Keras reads what the model's functions return."""
    own = engine.package.__name__ + "."
    classes = (base for base in type(model).__mro__ if not base.__module__.startswith(own))
    return not any(name in vars(base) for base in classes for name in _READERS)


def instruments_of(model: Any, *, probed: bool) -> Instruments:
    """Return the model's instruments: those of its last `fit`, unless it was compiled anew since.

    Args:
        model: compiled or not.
        probed: whether its batches may be probed.
    """
    known: Instruments | None = model.__dict__.get(_ATTRIBUTE)
    if known is None or not known.still_fit(model, probed=probed):
        known = Instruments(model, probed=probed)
        # Kept on the model itself, so that both go together.
        object.__setattr__(model, _ATTRIBUTE, known)
    return known
