"""What batch normalisation does to training's and validation's values: statistics that lag, and the batch's own noise.

Three sets of statistics are compared: the moving ones that inference uses, those of each batch alone, and statistics
estimated anew from whole batches at the weights of now (as Ioffe and Szegedy, 2015, section 3.1, do for inference).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from tui_monitor.explain.samples.opened import BatchNorm
from tui_monitor.explain.samples.probes import FloatArray, IntArray
from tui_monitor.run_log.events.opened import BatchNormLag
from tui_monitor.training.backends.backend import Backend
from tui_monitor.training.backends.graphs import Assigned, assigned_values, handle_of
from tui_monitor.training.probe.batches import UnpackedBatch
from tui_monitor.training.probe.passes import Probe
from tui_monitor.training.probe.variables import Variables

_FORGOTTEN: Final = 0.05
"""Part of an old value in a moving statistic that counts as forgotten."""

_MOST_BATCHES: Final = 32
"""Batches whose statistics are read; each takes a pass of its own."""

Handle = Any


@dataclass(frozen=True)
class _Layer:
    """One batch normalisation layer's moving statistics."""

    mean: Any
    variance: Any
    momentum: float

    @property
    def handles(self) -> tuple[Handle, Handle]:
        """Of the mean and of the variance."""
        return handle_of(self.mean), handle_of(self.variance)

    def values(self) -> list[tuple[Handle, FloatArray]]:
        """Return both handles with what they hold now."""
        return [(handle_of(one), np.array(one.numpy())) for one in (self.mean, self.variance)]


@dataclass
class BatchNormSplit:
    """Measures what each kind of statistics does; passes that read statistics of ours are built once."""

    backend: Backend
    model: Any
    _variables: Variables | None = None
    _assigned: dict[int, dict[int, Assigned]] = field(default_factory=dict)
    """What each trace, by `id`, assigns to the moving statistics."""

    def measure(
        self,
        probe: Probe,
        training: Sequence[UnpackedBatch],
        validation: tuple[IntArray, Sequence[UnpackedBatch]],
        *,
        others: bool,
    ) -> BatchNorm | None:
        """Return both sides with statistics estimated anew, and training with each batch's own.

        Args:
            probe: of the functions that run now.
            training: batches to measure, in the probe's order.
            validation: index of each sample among all of validation's, and the batches they are in.
            others: whether other layers act in training alone, so that each batch's own statistics are measured apart.

        Returns:
            None where the model has no batch normalisation that learns statistics.

        Raises:
            Unsupported: the step can't be run again.
        """
        layers = list(self._layers())
        others = others and len(training) <= _MOST_BATCHES
        estimated = training if others else training[:: -(-len(training) // _MOST_BATCHES)]
        found = [self._statistics(probe, batch, layers) for batch in estimated] if layers else []
        if not all(found) or not found:
            return None
        anew = _joined(found, [batch.samples for batch in estimated])
        if self._variables is None:
            kept = {id(handle): value for layer in layers for handle, value in layer.values()}
            self._variables = Variables(kept, replaces_all=False)
        self._assign(anew)
        train = probe.with_variables(training, self._variables)
        other = probe.with_variables(validation[1], self._variables)
        own = self._with_own(probe, training, found) if others else None
        steps = max(math.log(_FORGOTTEN) / math.log(layer.momentum) if layer.momentum > 0 else 1.0 for layer in layers)
        return BatchNorm(
            loss=train["loss"],
            correct=train["correct"],
            own_loss=own["loss"] if own is not None else None,
            own_correct=own["correct"] if own is not None else None,
            validation_sample=validation[0],
            validation_loss=other["loss"],
            validation_correct=other["correct"],
            found=BatchNormLag(len(layers), len(estimated), steps, None, None),
        )

    def _layers(self) -> Iterator[_Layer]:
        for layer in self.backend.layers(self.model):
            is_known = isinstance(layer, self.backend.batch_normalization) and self.backend.is_own(type(layer))
            # A frozen layer uses its moving statistics in training, too, and batch renormalisation uses both kinds.
            if is_known and layer.trainable and not getattr(layer, "renorm", False) and 0 <= layer.momentum < 1:
                yield _Layer(layer.moving_mean, layer.moving_variance, float(layer.momentum))

    def _statistics(self, probe: Probe, batch: UnpackedBatch, layers: Sequence[_Layer]) -> dict[int, FloatArray]:
        """Return a batch's own statistics by `id` of the handles of the moving ones they are for.

        The step computes what the moving statistics become; their present values and the momentum give the batch's.
        """
        kept = {id(handle): (value, layer.momentum) for layer in layers for handle, value in layer.values()}
        handles = [handle for layer in layers for handle in layer.handles]
        trace = probe.trace_in_training(batch)
        if id(trace) not in self._assigned:
            # A walk over the whole graph, which is the same for all batches of its shape.
            self._assigned[id(trace)] = assigned_values(trace.samples[0].loss, handles)
        assigned = self._assigned[id(trace)]
        if len(assigned) < len(handles):
            return {}
        results = probe.read_in_training(batch, lambda _: [part.value for part in assigned.values()])
        found = {}
        for (key, part), result in zip(assigned.items(), results, strict=True):
            before, momentum = kept[key][0].astype(np.float64), kept[key][1]
            after = before - result if part.is_subtracted else result
            found[key] = (after - momentum * before) / (1 - momentum)
        return found

    def _assign(self, values: Mapping[int, FloatArray]) -> None:
        assert self._variables is not None
        for key, value in values.items():
            self._variables.own[key].assign(value.astype(self._variables.own[key].dtype.as_numpy_dtype))

    def _with_own(
        self, probe: Probe, training: Sequence[UnpackedBatch], found: Sequence[Mapping[int, FloatArray]]
    ) -> Mapping[str, FloatArray]:
        assert self._variables is not None
        parts = []
        for batch, statistics in zip(training, found, strict=True):
            # One batch at a time, each with its own statistics in the same variables.
            self._assign(statistics)
            parts.append(probe.with_variables([batch], self._variables))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _joined(found: Sequence[Mapping[int, FloatArray]], sizes: Sequence[int]) -> dict[int, FloatArray]:
    """Return statistics over all batches: means of the means, and variances with what the means vary between them."""
    keys = list(found[0])
    weights = np.array(sizes) / sum(sizes)
    joined: dict[int, FloatArray] = {}
    for mean_key, variance_key in zip(keys[::2], keys[1::2], strict=True):
        means = np.stack([batch[mean_key] for batch in found])
        variances = np.stack([batch[variance_key] for batch in found])
        mean = np.tensordot(weights, means, axes=1)
        joined[mean_key] = mean
        joined[variance_key] = np.maximum(np.tensordot(weights, variances + (means - mean) ** 2, axes=1), 0.0)
    return joined


def other_kinds(backend: Backend, model: Any) -> tuple[str, ...]:
    """Return the kinds of a model's layers, batch normalisation apart, that act in training alone, sorted."""
    kinds = set()
    for layer in backend.layers(model):
        name = type(layer).__name__
        if not backend.is_own(type(layer)):
            if not isinstance(layer, backend.package.Model):
                kinds.add("own layers")
        elif "Dropout" in name or any(_rate(layer, part) for part in ("dropout", "recurrent_dropout", "_dropout")):
            kinds.add("dropout")
        elif name == "GaussianNoise":
            kinds.add("noise")
        elif name.startswith(("Random", "CutMix", "MixUp", "AugMix", "RandAugment")):
            kinds.add("augmentation")
    return tuple(sorted(kinds))


def _rate(layer: Any, name: str) -> bool:
    value = vars(layer).get(name)
    return isinstance(value, float | int) and value > 0
