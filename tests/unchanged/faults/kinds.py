"""The fits that faults are injected into: two epochs of three batches, one for each way through the recorder."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.unchanged.fingerprint import exact

BATCH, BATCHES, EPOCHS = 8, 3, 2


@dataclass
class Seen:
    """What a script sees of its own fit."""

    calls: list[str] = field(default_factory=list)
    """Hooks of a callback of the user's, with their logs bit for bit."""


@dataclass(frozen=True)
class Kind:
    """One way to fit."""

    name: str
    legacy: bool
    """Whether it is of `tf_keras`."""
    fit: Callable[[Any, Any, "Given"], Any]
    """Calls `fit` of a model, given Keras, the model and the rest; returns the history."""
    compile: dict[str, Any] = field(default_factory=dict)
    model: Callable[[Any], Any] | None = None
    """Makes the model, given Keras; by default a small classifier."""
    prepare: Callable[[Path], None] = lambda run: None
    """Called with the run folder before a recorded fit."""
    hooked: bool = True
    """Whether every fit of the process is recorded, as under `tui-monitor run`; else the fit asks for it itself."""
    forced: str = ""
    """A function of `training` that fails at every call, for what is reached only then; none if empty."""
    loss: Any = "sparse_categorical_crossentropy"


@dataclass(frozen=True)
class Given:
    """What a fit is given beside its model."""

    callbacks: list[Any]
    x: Any
    y: Any
    recorded: bool
    """Whether a run is open; false in the bare fit."""

    @property
    def plain(self) -> dict[str, Any]:
        """Arguments of an ordinary fit."""
        validation = (self.x[:16], self.y[:16])
        given = {"x": self.x, "y": self.y, "epochs": EPOCHS, "batch_size": BATCH, "verbose": 0}
        return {**given, "validation_data": validation, "callbacks": self.callbacks}


def data() -> tuple[Any, Any]:
    """Return inputs of shape (24, 4) and three classes."""
    generator = np.random.default_rng(0)
    samples = BATCH * BATCHES
    return generator.normal(size=(samples, 4)).astype("float32"), generator.integers(0, 3, samples)


def noting(keras: Any, seen: Seen) -> Any:
    """Return a callback that notes every hook and its logs."""

    class Noting(keras.callbacks.Callback):  # type: ignore[misc]
        """Notes what a callback of the user's is told."""

    def hook(name: str) -> Callable[..., None]:
        def noted(self: Any, *place: Any, logs: Any = None) -> None:
            if place and isinstance(place[-1], dict):
                place, logs = place[:-1], place[-1]
            seen.calls.append(f"{name} {list(place)} {exact(logs)}")

        return noted

    for name in ("on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end"):
        setattr(Noting, name, hook(name))
    for name in ("on_train_begin", "on_train_end", "on_test_begin", "on_test_end", "on_test_batch_end"):
        setattr(Noting, name, hook(name))
    return Noting()


def classifier(keras: Any) -> Any:
    """Return a small model with dropout for three classes."""
    layers = keras.layers
    return keras.Sequential([layers.Input((4,)), layers.Dropout(0.3), layers.Dense(3, "softmax")])


def _normalised(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential([layers.Input((4,)), layers.BatchNormalization(), layers.Dense(3, "softmax")])


def _own_step(keras: Any) -> Any:
    class Own(keras.Model):  # type: ignore[misc]
        """A step of the user's with a mean of its own."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = classifier(keras)
            self.mean = keras.metrics.Mean(name="mean_output")

        def call(self, x: Any, training: bool = False) -> Any:
            """Return class probabilities."""
            return self.inner(x, training=training)

        def train_step(self, data: Any) -> Any:
            """Train as Keras does, and track one thing more."""
            logs = dict(super().train_step(data))
            self.mean.update_state(self.inner(data[0])[:, 0])
            return {**logs, "mean_output": self.mean.result()}

    return Own()


def _two_outputs(keras: Any) -> Any:
    inputs = keras.layers.Input((4,))
    hidden = keras.layers.Dense(4, "relu")(inputs)
    heads = [keras.layers.Dense(3, "softmax", name=name)(hidden) for name in ("a", "b")]
    return keras.Model(inputs, heads)


def _plain(keras: Any, model: Any, given: Given) -> Any:
    return model.fit(**given.plain)


def _weighted(keras: Any, model: Any, given: Given) -> Any:
    return model.fit(**given.plain, class_weight={0: 2.0, 1: 1.0, 2: 0.5})


def _two_targets(keras: Any, model: Any, given: Given) -> Any:
    both = [given.y, given.y]
    return model.fit(**{**given.plain, "y": both, "validation_data": (given.x[:16], [given.y[:16], given.y[:16]])})


def _raising(keras: Any, model: Any, given: Given) -> Any:
    def last(epoch: int, logs: Any = None) -> None:
        if epoch:
            raise ValueError("of the user's")

    stops = keras.callbacks.LambdaCallback(on_epoch_end=last)
    return model.fit(**{**given.plain, "callbacks": [*given.callbacks, stops]})


def _listed(keras: Any, model: Any, given: Given) -> Any:
    listed = keras.callbacks.CallbackList(given.callbacks, add_history=True, model=model)
    return model.fit(**{**given.plain, "callbacks": listed})


def _slow(keras: Any, model: Any, given: Given) -> Any:
    """Fit on a generator that takes as long as the recorder waits between ticks, so that it ticks."""

    def batches() -> Iterator[Any]:
        for _ in range(EPOCHS):
            for start in range(0, len(given.x), BATCH):
                time.sleep(0.3)
                yield given.x[start : start + BATCH], given.y[start : start + BATCH]

    plain = {name: value for name, value in given.plain.items() if name not in ("y", "batch_size")}
    return model.fit(**{**plain, "x": batches(), "steps_per_epoch": BATCHES})


def _watched(keras: Any, model: Any, given: Given) -> Any:
    if given.recorded:
        from tui_monitor.training.api import watch

        watch(model)
    return model.fit(**given.plain)


def _by_callback(keras: Any, model: Any, given: Given) -> Any:
    from tui_monitor.training.api import Monitor

    monitors = [Monitor()] if given.recorded else []
    return model.fit(**{**given.plain, "callbacks": [*monitors, *given.callbacks]})


def _raising_by_callback(keras: Any, model: Any, given: Given) -> Any:
    from tui_monitor.training.api import Monitor

    monitors = [Monitor()] if given.recorded else []
    return _raising(keras, model, replace(given, callbacks=[*monitors, *given.callbacks]))


def _generated(keras: Any, model: Any, given: Given) -> Any:
    """Fit as Keras 2 did; bare Keras 3 has no such call, and so nothing to be compared with."""
    x, y, steps = given.x, given.y, BATCHES
    batches = ((x[:BATCH], y[:BATCH]) for _ in range(EPOCHS * steps + 8))
    plan = {"epochs": EPOCHS, "verbose": 0, "callbacks": given.callbacks}
    if not given.recorded:
        return model.fit(batches, steps_per_epoch=steps, **plan)
    from tui_monitor.training.api import fit_generator

    return fit_generator(model, batches, steps, **plan)


def _evaluates(keras: Any, model: Any, given: Given) -> Any:
    def evaluate(epoch: int, logs: Any = None) -> None:
        model.evaluate(given.x, given.y, verbose=0)
        model.predict(given.x, verbose=0)

    evaluating = keras.callbacks.LambdaCallback(on_epoch_end=evaluate)
    model.fit(**{**given.plain, "callbacks": [*given.callbacks, evaluating], "epochs": 1})
    return model.fit(**given.plain)


def _ask(run: Path) -> None:
    """Ask for everything that can be asked of a training but its end."""
    from tui_monitor.run_log.runs.control import Action, send_request

    send_request(run, Action.PAUSE)
    send_request(run, Action.RESUME)
    send_request(run, Action.MEASURE)
    send_request(run, Action.NOTE, "a note")
    (run / "control" / "nonsense.json").write_text("{")


def _stops(action: str, value: Any = None) -> Callable[[Path], None]:
    """Return what sends a request that changes the training, for `Kind.prepare`."""

    def prepare(run: Path) -> None:
        from tui_monitor.run_log.runs.control import Action, send_request

        send_request(run, Action(action), *(() if value is None else (value,)))

    return prepare


def _penalised(y_true: Any, y_pred: Any) -> Any:
    """Return a loss that is a number for a whole batch, as dice is."""
    import tensorflow as tf

    target = tf.one_hot(tf.cast(tf.reshape(y_true, [-1]), tf.int32), 3)
    return 1.0 - tf.reduce_sum(target * y_pred) / tf.reduce_sum(target + y_pred)


_STEPS = {"steps_per_execution": 2}
_EAGER = {"run_eagerly": True}

_FIRST_FAILURES = (
    "record.batch_sink.BatchSink.put",
    "step.instrument.Instrument._emitted",
    "step.channel.StepChannel.take",
    "backends.capture.mean_updated",
    "backends.capture.active",
    "probe.explainer.Explainer.at_epoch_end",
    "record.fit_recorder.FitRecorder.__init__",
    "record.observations.Observations.epoch_ended",
    "hooks._prepared",
)
"""Each ends another part of the recording, after which functions run that run at no other time."""


def _after(prefix: str, *, legacy: bool) -> list[Kind]:
    """Return the kinds that find these: a failure is forced, and the one to be injected is the second."""
    kinds = [Kind(f"{prefix}after {first}", legacy, _weighted, forced=first) for first in _FIRST_FAILURES]
    watching = Kind(
        f"{prefix}watch() after hooks.hook_steps", legacy, _watched, hooked=False, forced="hooks.hook_steps"
    )
    unwatched = Kind(f"{prefix}watch() after api._watch", legacy, _watched, hooked=False, forced="api._watch")
    return [*kinds, watching, unwatched]


KINDS = (
    Kind("plain", False, _weighted),
    Kind("eager", False, _plain, _EAGER, _normalised),
    Kind("jit", False, _plain, {"jit_compile": True}),
    Kind("steps per execution", False, _plain, _STEPS),
    Kind("own step", False, _plain, model=_own_step),
    Kind("two outputs", False, _two_targets, model=_two_outputs),
    Kind("raising callback", False, _raising),
    Kind("callback list", False, _listed),
    Kind("evaluate inside, two fits", False, _evaluates),
    Kind("slow batches, requests", False, _slow, prepare=_ask),
    Kind("watch()", False, _watched, hooked=False),
    Kind("Monitor()", False, _by_callback, hooked=False),
    Kind("Monitor(), raising callback", False, _raising_by_callback, hooked=False),
    Kind("loss of a batch", False, _plain, loss=_penalised),
    Kind("stop after a batch", False, _plain, prepare=_stops("stop_batch")),
    Kind("stop after an epoch", False, _plain, prepare=_stops("stop_epoch")),
    Kind("other learning rate", False, _plain, prepare=_stops("learning_rate", 0.05)),
    Kind("legacy plain", True, _weighted),
    Kind("legacy eager", True, _plain, _EAGER, _normalised),
    Kind("legacy steps per execution", True, _plain, _STEPS),
    Kind("legacy own step", True, _plain, model=_own_step),
    Kind("legacy raising callback", True, _raising),
    Kind("legacy Monitor(), raising callback", True, _raising_by_callback, hooked=False),
    Kind("legacy fit_generator()", True, _generated, hooked=False),
    Kind("legacy loss of a batch", True, _plain, loss=_penalised),
    *_after("", legacy=False),
    *_after("legacy ", legacy=True),
)
"""In this order a function is looked for: it is made to fail in the first kind of each Keras that reaches it."""
