"""A piece cut out of a traced graph gives the values of the whole, and leaves nothing behind."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tui_monitor.training.backends.graphs import beside
from tui_monitor.training.backends.memory import refuse_memory
from tui_monitor.training.backends.pieces import cut
from tui_monitor.training.backends.repeatable import NotRepeatable


def traced(function: Callable[[Any], tuple[Any, Any]], shape: Sequence[int | None] = (None, 2)) -> tuple[Any, Any, Any]:
    """Trace a function of one input that returns a tensor inside and one at its end; return both and the input."""
    seen: list[tuple[Any, Any]] = []

    def step(x: Any) -> Any:
        inside, out = function(x)
        seen.append((x, inside))
        return out

    concrete = tf.function(step, input_signature=[tf.TensorSpec(shape, tf.float32)]).get_concrete_function()
    return (*seen[-1], concrete)


def test_a_piece_gives_what_the_whole_gives() -> None:
    """Its inputs may be any tensors of the graph, one of them given twice."""
    weight = tf.Variable([[2.0], [3.0]])
    x, inside, _ = traced(lambda x: (tf.matmul(x, weight), tf.reduce_sum(x)))
    run = cut([x, x], [inside])
    rows = tf.constant([[1.0, 1.0], [2.0, 0.0]])
    (result,) = run([rows, rows])
    np.testing.assert_allclose(result.numpy(), [[5.0], [4.0]])
    weight.assign([[1.0], [1.0]])
    np.testing.assert_allclose(run([rows, rows])[0].numpy(), [[2.0], [2.0]])


def test_what_merely_happens_beside_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    """A counter and a print that no value follows from don't run with the piece."""
    count = tf.Variable(0)

    def step(x: Any) -> tuple[Any, Any]:
        count.assign_add(1)
        tf.print("a step")
        return x * 2.0, x

    x, inside, _ = traced(step)
    run = cut([x], [inside])
    run([tf.ones([1, 2])])
    assert count.numpy() == 0
    assert "a step" not in capfd.readouterr().err


def test_a_variable_that_a_value_is_read_from_is_written_and_put_back() -> None:
    """A read sees the write before it, as in the step; afterwards this variable alone is what it was."""
    kept, other = tf.Variable([0.0, 0.0]), tf.Variable(1.0)

    def step(x: Any) -> tuple[Any, Any]:
        kept.assign(tf.reduce_sum(x, axis=0))
        return x * kept * other, x

    x, inside, _ = traced(step)
    run = cut([x], [inside])
    other.assign(3.0)
    (result,) = run([tf.constant([[1.0, 2.0]])])
    np.testing.assert_allclose(result.numpy(), [[3.0, 12.0]])
    np.testing.assert_array_equal(kept.numpy(), [0.0, 0.0])
    assert other.numpy() == 3.0


def _python(x: Any) -> Any:
    return tf.numpy_function(lambda rows: rows * 2, [x], tf.float32, stateful=False)


def _loop(x: Any) -> Any:
    return tf.while_loop(lambda i, _: i < 2, lambda i, rows: (i + 1, rows + tf.random.uniform([])), [0, x])[1]


@pytest.mark.parametrize(
    ("compute", "reason"),
    [(_python, "calls Python code"), (_loop, "random numbers")],
    ids=["python", "random numbers in a loop"],
)
def test_what_can_not_be_put_back_is_refused(compute: Callable[[Any], Any], reason: str) -> None:
    """The reason ends a sentence; nothing was run."""
    x, inside, _ = traced(lambda x: (compute(x), x))
    with pytest.raises(NotRepeatable, match=reason):
        cut([x], [inside])


def test_a_value_that_follows_from_more_is_refused() -> None:
    """A piece is given all that its outputs follow from, variables apart."""
    _, inside, _ = traced(lambda x: (tf.square(x), x))
    with pytest.raises(NotRepeatable, match="more than the batch"):
        cut([], [inside])


def test_the_terms_of_a_sum_are_read_instead_of_it() -> None:
    """So that the step's own additions keep their only reader."""
    x, inside, _ = traced(lambda x: (tf.reduce_mean(x) + tf.reduce_max(x) + 1.0, x))
    with inside.graph.as_default():
        assert all(read is not inside for read in beside(inside).op.inputs)
        assert beside(x) is x


KEPT = tf.Variable([0.0, 0.0])
SEED = tf.Variable([0, 0])
LABELS = tf.constant([[1]], tf.int64)


def _reads_and_writes(x: Any) -> Any:
    before = x + KEPT
    KEPT.assign(tf.reduce_sum(x, axis=0))
    return before


def _writes_and_reads(x: Any) -> Any:
    KEPT.assign(tf.reduce_sum(x, axis=0))
    return x + KEPT


def _writes(x: Any) -> Any:
    KEPT.assign(tf.reduce_sum(x, axis=0))
    return x


def _counts(x: Any) -> Any:
    SEED.assign_add([1, 1])
    return x * tf.cast(SEED, tf.float32)


@pytest.mark.parametrize(
    ("compute", "remembers"),
    [
        (_reads_and_writes, True),
        (_writes_and_reads, True),
        (_writes, False),
        (lambda x: x * KEPT, False),
        (_counts, False),
    ],
    ids=["read, then written", "written, then read", "written alone", "read alone", "a generator's state"],
)
def test_what_batches_before_have_left_is_found(compute: Callable[[Any], Any], remembers: bool) -> None:
    """A value that follows from floats which its own step writes is another one after each batch."""
    x, inside, _ = traced(lambda x: (compute(x), x))
    if not remembers:
        refuse_memory([x], [inside])
        return
    with pytest.raises(NotRepeatable, match="what the batch before has left"):
        refuse_memory([x], [inside])


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x + tf.raw_ops.Empty(shape=[2], dtype=tf.float32, init=True),
        lambda x: (
            x + tf.cast(tf.random.log_uniform_candidate_sampler(LABELS, 1, 2, False, 9, seed=3)[0][0], tf.float32)
        ),
    ],
    ids=["memory", "a sample of classes"],
)
def test_an_operation_that_only_counts_as_stateful_runs_again(compute: Callable[[Any], Any]) -> None:
    """What CTC and sampled losses are made of leaves nothing behind."""
    x, inside, _ = traced(lambda x: (compute(x), x))
    assert cut([x], [inside])([tf.ones([1, 2])])[0].shape == (1, 2)
