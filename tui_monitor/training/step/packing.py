"""One vector that carries all a step emits: every further output of its graph costs tens of microseconds a step."""

import functools
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import tensorflow as tf

from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.training.step.marks import MARK, marked
from tui_monitor.training.step.per_sample_metrics import NOT_BY_SAMPLE, Unsupported

PER_SAMPLE: Final = "per_sample"
"""Name of the only part without a row for each sample: a vector of any length (`marked`)."""
_WIDEST: Final = 256
"""Numbers a sample up to which copying a tensor into the vector is cheaper than an output of its own."""
_NUMBERS: Final[Mapping[tf.DType, int]] = {tf.float32: 1, tf.int32: 1, tf.uint32: 1, tf.float64: 2, tf.int64: 2}
"""float32 numbers that one value of a type takes, bit by bit."""
_NUMBER_BYTES: Final = 4


@dataclass(frozen=True)
class Segment:
    """Where one tensor with a row for each sample lies in the vector."""

    shape: tuple[int, ...]
    """Of one sample."""
    dtype: tf.DType

    @functools.cached_property
    def width(self) -> int:
        """Numbers a sample."""
        return int(np.prod(self.shape, dtype=int)) * _NUMBERS[self.dtype]

    @functools.cached_property
    def numpy_type(self) -> type[np.generic]:
        """NumPy's name of the type: asking TensorFlow for it takes longer than a view."""
        found: type[np.generic] = self.dtype.as_numpy_dtype
        return found


@dataclass(frozen=True)
class Layout:
    """How one trace of a step fills its vector: its own number, Keras' logs, the batch's numbers, then the samples."""

    logs: tuple[str, ...]
    """Names of Keras' logs in the vector, in order."""
    numbers: int
    """Count of the batch's own numbers, samples first."""
    structure: Mapping[str, Any]
    """The nest of tensors that are emitted for each sample, with a placeholder for each."""
    segments: tuple[Segment | None, ...]
    """For each leaf of the structure, or None where it is an output of its own."""
    log_type: type[float] = float
    """Of Keras' logs when they are taken out again."""
    has_values: bool = False
    """Whether the rest of the vector is `PER_SAMPLE`."""
    index: int = field(default=0, compare=False)
    """Among the layouts of a packer: the first number in the vector."""

    @functools.cached_property
    def begin(self) -> int:
        """Index at which the batch's own numbers begin."""
        return 1 + len(self.logs)

    @functools.cached_property
    def body(self) -> int:
        """Index at which the samples begin."""
        return self.begin + self.numbers

    @functools.cached_property
    def read_head(self) -> Callable[[Any], tuple[float, ...]]:
        """Returns all numbers before the samples, given what holds a vector in memory."""
        return struct.Struct(f"={self.body}f").unpack_from

    @functools.cached_property
    def head_bytes(self) -> int:
        """Bytes of all numbers before the samples."""
        return _NUMBER_BYTES * self.body

    @functools.cached_property
    def sample_bytes(self) -> int:
        """Bytes of one sample in the vector."""
        return _NUMBER_BYTES * sum(segment.width for segment in self.segments if segment is not None)

    @functools.cached_property
    def _plain_names(self) -> tuple[str, ...]:
        """Names of the leaves in order, where the structure is no more than names and leaves; else empty."""
        names = tuple(sorted(self.structure))
        return (
            names
            if len(names) == len(self.segments) and not any(map(tf.nest.is_nested, self.structure.values()))
            else ()
        )

    def output(self, rows: "Rows", packed: tf.Tensor, separate: Sequence[Any] = ()) -> "StepOutput":
        """Return what a step emitted for each sample.

        Args:
            rows: of the step.
            packed: its vector.
            separate: leaves of the structure that are outputs of their own, in order.
        """
        nbytes = self.head_bytes + self.sample_bytes * int(rows[0][0]) + sum(map(tensor_bytes, separate))
        return StepOutput(rows, nbytes, functools.partial(_parts, self, packed, separate))

    def parts(self, vector: FloatArray, separate: Sequence[Any]) -> dict[str, Any]:
        """Return the nest of what was emitted for each sample: NumPy views of shape (samples, ...), or tensors.

        Args:
            vector: of this layout.
            separate: leaves of the structure that are outputs of their own, in order.

        Raises:
            Unsupported: there is a tensor with another number of rows than there are samples.
        """
        at, others = self.body, iter(separate)
        samples = int(vector[self.begin])
        leaves: list[Any] = []
        for segment in self.segments:
            if segment is None:
                leaves.append(next(others))
                continue
            end = at + samples * segment.width
            if end >= vector.size or vector[end] != MARK:
                raise Unsupported(NOT_BY_SAMPLE)
            leaves.append(vector[at:end].view(segment.numpy_type).reshape(samples, *segment.shape))
            at = end + 1
        values = {PER_SAMPLE: vector[at:]} if self.has_values else {}
        if self._plain_names:
            return {**dict(zip(self._plain_names, leaves, strict=True)), **values}
        return {**tf.nest.pack_sequence_as(self.structure, leaves), **values}


Rows = Sequence[Sequence[float]]
"""One row for each step of a call: samples, the batch's own metrics, samples of each class."""


class StepOutput(NamedTuple):
    """What one call of a training or validation function emitted to be looked at later."""

    rows: Rows
    """Of the call."""
    nbytes: int
    """Bytes of what was emitted for each sample of the last step."""
    parts: Callable[[], Mapping[str, Any]]
    """Returns that: nests of tensors or arrays."""


class Packer:
    """Packs inside a graph and unpacks outside; knows the layout of every trace."""

    def __init__(self, log_type: type[float]) -> None:
        """Prepare.

        Args:
            log_type: of the logs that `unpack` returns.
        """
        self._log_type = log_type
        self._layouts: list[Layout] = []
        self._shortest: Layout
        self.newest: Layout | None = None
        """Of the vector unpacked last."""

    def pack(
        self,
        logs: Mapping[str, tf.Tensor],
        numbers: Sequence[tf.Tensor],
        counts: Sequence[tf.Tensor],
        parts: Mapping[str, Any],
        by_unit: Sequence[Sequence[tf.Tensor]] = (),
    ) -> dict[str, Any]:
        """Return `packed`, and as `separate` what is better an output of its own.

        Args:
            logs: of Keras, scalars of float32.
            numbers: of the batch, scalars of float32, samples first.
            counts: samples of each class, vectors of float32.
            parts: nests of tensors with a row for each sample.
            by_unit: what is to be `PER_SAMPLE`, see `marked`; empty where nothing is.
        """
        leaves = tf.nest.flatten(parts)
        segments = tuple(segment_of(leaf) for leaf in leaves)
        structure = tf.nest.map_structure(lambda _: 0, parts)
        width, index = len(numbers) + sum(int(count.shape[0]) for count in counts), len(self._layouts)
        layout = Layout(tuple(logs), width, structure, segments, self._log_type, bool(by_unit), index)
        if layout not in self._layouts:
            self._layouts.append(layout)
            # Its head fits into every vector: nothing is read beyond the end of one whose layout is not known yet.
            self._shortest = min(self._layouts, key=lambda layout: layout.body)
        index = self._layouts.index(layout)
        head = tf.stack([tf.constant(float(index)), *logs.values(), *numbers])
        vectors = _vectors([leaf for leaf, segment in zip(leaves, segments, strict=True) if segment], by_unit)
        separate = [leaf for leaf, segment in zip(leaves, segments, strict=True) if not segment]
        packed = {"packed": concatenated([head, *counts, *vectors])}
        return {**packed, "separate": tuple(separate)} if separate else packed

    def unpack(self, payload: Mapping[str, Any]) -> tuple[dict[str, float], Rows, StepOutput | None]:
        """Return what was taken out of Keras' own logs, the row of the step, and what it emitted for each sample.

        Args:
            payload: as `pack` made it, its tensors eager by now.
        """
        packed, layout = payload["packed"], self._shortest
        # Straight from the tensor's memory: an array and its items would cost as much again.
        head = layout.read_head(packed)
        # Batches of other shapes come from another trace; each vector says which layout it has.
        if head[0] != layout.index:
            layout = self._layouts[int(head[0])]
            head = layout.read_head(packed)
        self.newest = layout
        # Not strict: behind the logs, the head goes on with the numbers of the batch.
        own = dict(zip(layout.logs, map(layout.log_type, head[1:])))  # noqa: B905
        rows = (head[layout.begin :],)
        if not layout.segments:
            return own, rows, None
        return own, rows, layout.output(rows, packed, payload.get("separate", ()))


def _parts(layout: Layout, packed: tf.Tensor, separate: Sequence[Any]) -> dict[str, Any]:
    return layout.parts(packed.numpy(), separate)


def _vectors(leaves: Sequence[Any], by_unit: Sequence[Sequence[tf.Tensor]]) -> list[tf.Tensor]:
    """Return tensors as vectors with a mark after each, then those of `marked`."""
    if not leaves and not by_unit:
        return []
    # Made once, and only where needed: each operation is paid for in every trace.
    mark = tf.constant([MARK])
    all_of_it = tf.constant([-1]) if any(leaf.shape.rank != 1 for leaf in leaves) else None
    samples = [vector for leaf in leaves for vector in (_as_numbers(leaf, all_of_it), mark)]
    return [*samples, *marked(by_unit, mark)] if by_unit else samples


def concatenated(vectors: Sequence[tf.Tensor]) -> tf.Tensor:
    """Return vectors of float32 as one, with no more operations than it takes."""
    return tf.concat(vectors, axis=0) if len(vectors) > 1 else vectors[0]


def tensor_bytes(tensor: tf.Tensor) -> int:
    """Return the bytes that an eager tensor holds."""
    return int(tensor.shape.num_elements() or 0) * int(tensor.dtype.size)


def segment_of(leaf: Any) -> Segment | None:
    """Return where a tensor lies in the vector, or None where it is better an output of its own."""
    if not isinstance(leaf, tf.Tensor) or leaf.dtype not in _NUMBERS or not leaf.shape.rank:
        return None
    inner = leaf.shape[1:]
    if not inner.is_fully_defined():
        return None
    segment = Segment(tuple(inner), leaf.dtype)
    return segment if segment.width <= _WIDEST else None


def _as_numbers(leaf: tf.Tensor, all_of_it: tf.Tensor | None) -> tf.Tensor:
    # Bit by bit: a cast to float32 would round large integers and float64.
    numbers = leaf if leaf.dtype is tf.float32 else tf.bitcast(leaf, tf.float32)
    return numbers if numbers.shape.rank == 1 else tf.reshape(numbers, all_of_it)
