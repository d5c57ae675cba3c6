"""What a signal handler raises while we measure leaves nothing of ours behind, on whatever line it falls."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras.src.engine import base_layer_utils

from tui_monitor.training.backends.pieces import cut
from tui_monitor.training.probe.undisturbed import undisturbed


class LateError(Exception):
    """What a time limit raises."""


def _raised_at(line: int, names: tuple[str, ...], action: Callable[[], Any]) -> bool:
    """Call an action, and raise at a line of the functions that have one of the names, counted from 1 as they run.

    Returns:
        Whether so many lines ran.
    """
    left = line

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_name not in names:
            return None
        left -= event == "line"
        if event == "line" and not left:
            sys.settrace(None)
            raise LateError
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with suppress(LateError):
            action()
    finally:
        sys.settrace(before)
    return left <= 0


_OURS = ("undisturbed", "run")
"""Functions of ours whose lines are interrupted one by one."""


def _open_half(package: Any) -> None:
    """Enter scopes and never leave them, as an interrupt between two lines of TensorFlow or Keras does."""
    name_scope = keras.name_scope if package is keras else tf_keras.backend.name_scope
    for scope in (tf.Graph().as_default(), tf.device("CPU:0"), name_scope("ours")):
        scope.__enter__()
    if package is tf_keras:
        base_layer_utils.call_context().enter(tf_keras.layers.Dense(1), None, True).__enter__()


def _state() -> list[Any]:
    """Return what a script sees of its scopes: whether it runs eagerly, where, under which names, and on its tapes."""
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    eager = [tf.executing_eagerly(), base_layer_utils.call_context().in_call]

    def trace() -> None:
        with tf.init_scope():
            eager.append(tf.executing_eagerly())

    tf.function(trace)()
    return [eager, y.device, float(tape.gradient(y, x)), keras.Variable(1.0, name="v").path]


@pytest.mark.parametrize("package", [keras, tf_keras], ids=["keras", "tf_keras"])
def test_scopes_left_open_are_closed(package: Any) -> None:
    """The next line of the script runs eagerly, on its device, under its own names, and is seen by its tapes."""
    before = _state()

    def measure() -> None:
        _open_half(package)
        raise LateError

    with pytest.raises(LateError):
        undisturbed(measure)
    assert _state() == before


def test_a_scope_that_was_never_begun_is_left_at_once() -> None:
    """Its generator would leave it when it is collected, and take a scope of the script's with it."""
    entered = []

    def enter() -> None:
        scope = tf.Graph().as_default()
        scope.__enter__()
        raise LateError

    before = _state()
    try:
        undisturbed(enter)
    except LateError as error:
        entered.append(error)
    assert _state() == before
    entered.clear()
    assert _state() == before


def test_random_states_are_put_back_whatever_line_is_interrupted() -> None:
    """Lines of putting back included."""

    def draw() -> None:
        random.random()
        np.random.random()

    lines = _interrupted_lines(lambda: undisturbed(draw), (draw.__name__, *_OURS))
    random.seed(1)
    np.random.seed(1)
    wanted = random.random(), np.random.random()
    for line in lines:
        random.seed(1)
        np.random.seed(1)
        assert _raised_at(*line)
        assert (random.random(), np.random.random()) == wanted, line


def _interrupted_lines(action: Callable[[], Any], names: tuple[str, ...]) -> Iterator[Any]:
    line = 1
    while _raised_at(line, names, action):
        yield line, names, action
        line += 1
    assert line > 5


def test_a_variable_is_put_back_whatever_line_is_interrupted() -> None:
    """A piece writes what the step writes; two variables need two lines to put back."""
    first, second = tf.Variable(1.0), tf.Variable(10.0)

    def step(x: Any) -> Any:
        return first.assign_add(x) + second.assign_add(x)

    concrete = tf.function(step).get_concrete_function(tf.TensorSpec((), tf.float32))
    run = cut(concrete.inputs[:1], concrete.outputs[:1])
    three = tf.constant(3.0)
    assert float(run([three])[0]) == 17.0
    for line in _interrupted_lines(lambda: run([three]), _OURS):
        assert _raised_at(*line)
        assert (float(first), float(second)) == (1.0, 10.0), line
