"""What a step emits is the same whether it is packed in a graph or at hand in an eager step."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tui_monitor.training.backends.capture import MeanUpdate, batch_mean
from tui_monitor.training.backends.graphs import is_row_count
from tui_monitor.training.step.channel import StepChannel
from tui_monitor.training.step.packing import PER_SAMPLE
from tui_monitor.training.step.per_sample_metrics import Unsupported

_X = np.arange(12, dtype="float32").reshape(4, 3)
_Y = np.array([2, 0, 1, 1], dtype="int64")
_LOSS = np.array([0.5, 1.5, -2.0, 0.25], dtype="float32")


def _emit(channel: StepChannel, parts: Mapping[str, Any], loss: Any) -> Any:
    logs = {"loss": tf.reduce_mean(loss)}
    size = 4.0 if tf.executing_eagerly() else tf.constant(4.0)
    counts, rows = np.array([1.0, 2.0, 1.0], "float32"), [loss, loss + 1.0]
    if tf.executing_eagerly():
        return channel.emit(logs, size, [tf.reduce_max(loss)], [counts], parts, [[row.numpy() for row in rows]])
    return channel.emit(logs, size, [tf.reduce_max(loss)], [tf.constant(counts)], parts, [rows])


def test_an_eager_step_emits_what_a_graph_does() -> None:
    """Keras' logs, the row of the batch, and all that is kept of its samples, bit by bit."""
    given = {"x000": tf.constant(_X), "y000": tf.constant(_Y)}
    found = []
    for run in (_emit, tf.function(_emit)):
        channel = StepChannel(1, packed_logs=float)
        own, rows, output = channel.take(run(channel, given, tf.constant(_LOSS)))
        assert output is not None
        found.append((float(own["loss"]), [list(row) for row in rows], dict(output.parts())))
    (eager_log, eager_rows, eager), (log, rows, graph) = found
    assert (eager_log, eager_rows) == (log, rows) == (-0.0625 + 0.125, [[4.0, 1.5, 1.0, 2.0, 1.0]])
    assert eager.keys() == graph.keys() == {"x000", "y000", PER_SAMPLE}
    for name, part in eager.items():
        assert part.dtype == graph[name].dtype
        np.testing.assert_array_equal(part, graph[name])


def test_logs_of_an_eager_step_are_those_of_keras_itself() -> None:
    """The very dictionary that the step returned goes on, with nothing in it for anybody to find."""
    channel, logs = StepChannel(1, packed_logs=float), {"loss": tf.constant(1.0)}
    assert channel.emit(logs, 4.0) is logs
    assert channel.take(logs)[0] is logs
    assert logs.keys() == {"loss"}


def test_what_an_eager_step_left_is_taken_once_and_never_for_another_step() -> None:
    """Neither a second time, nor after a step whose function failed behind it."""
    channel, logs = StepChannel(1, packed_logs=float), {"loss": tf.constant(1.0)}
    channel.emit(logs, 4.0)
    assert [channel.take(logs)[1] for _ in range(2)] == [((4.0,),), ()]
    channel.emit(logs, 4.0)
    channel.begin_step()
    assert channel.take(logs)[1] == ()


def test_rows_that_are_no_samples_are_noticed_at_hand_too() -> None:
    """A kept tensor with another number of rows than the batch has samples can't be measured again."""
    channel, logs = StepChannel(1, packed_logs=float), {"loss": tf.constant(1.0)}
    channel.emit(logs, 3.0, parts={"x000": tf.constant(_X)})
    output = channel.take(logs)[2]
    assert output is not None
    with pytest.raises(Unsupported):
        output.parts()


@pytest.mark.parametrize(
    ("values", "weight"),
    [
        (1.5, None),
        (_LOSS, None),
        (_X, None),
        (_LOSS, [1.0, 0.0, 2.0, 0.5]),
        (_LOSS, [[1.0], [0.0], [2.0], [0.5]]),
        (_X, [1.0, 0.0, 2.0, 0.5]),
        (_LOSS, 2.0),
        (_LOSS, [0.0, 0.0, 0.0, 0.0]),
        ([], None),
    ],
)
def test_a_mean_at_hand_is_the_mean_of_a_graph(values: Any, weight: Any) -> None:
    """With weights of fewer axes, of one more, of zeros; and of no values at all, without a warning."""

    def mean(values: Any, weight: Any) -> Any:
        return batch_mean(MeanUpdate(None, values, weight, None, None, None))

    given = tf.constant(values, tf.float32), None if weight is None else tf.constant(weight, tf.float32)
    at_hand, in_graph = mean(*given), tf.function(mean)(*given)
    assert isinstance(at_hand, float)
    np.testing.assert_allclose(at_hand, float(in_graph), rtol=1e-6)


_COUNTS: Mapping[str, tuple[Callable[[Any, Any], Any], bool]] = {
    "rows": (lambda x, y: tf.shape(x)[0], True),
    "rows, cast": (lambda x, y: tf.cast(tf.shape(x)[0], tf.float32), True),
    "of a cast": (lambda x, y: tf.shape(tf.cast(x, tf.float64))[0], True),
    "columns": (lambda x, y: tf.shape(x)[1], False),
    "the last axis": (lambda x, y: tf.shape(x)[-1], False),
    "of another tensor": (lambda x, y: tf.shape(y)[0], False),
    "one more": (lambda x, y: tf.shape(x)[0] + 1, False),
    "a value": (lambda x, y: x[0, 0], False),
    "a constant": (lambda x, y: tf.constant(4.0), False),
}


@pytest.mark.parametrize("name", _COUNTS)
def test_a_row_count_is_told_by_its_graph(name: str) -> None:
    """Only what is the number of a tensor's rows whatever its values counts as that."""
    number, expected = _COUNTS[name]
    found = []

    def trace(x: Any, y: Any) -> Any:
        found.append(is_row_count(number(x, y), x))
        return x

    tf.function(trace).get_concrete_function(tf.TensorSpec([None, 3]), tf.TensorSpec([None]))
    assert found == [expected]
