"""One epoch as opening its within-class term needs it: batches of both sides, and where their samples stand."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tui_monitor.explain.samples.probes import IntArray, ValidationProbe
from tui_monitor.training.probe.batches import LazyBatch, UnpackedBatch
from tui_monitor.training.probe.opening.moments import MOST_SAMPLES
from tui_monitor.training.probe.reservoir import Reservoir
from tui_monitor.training.probe.validation_record import ValidationRecord
from tui_monitor.training.record.epoch_totals import EpochTotals

MOST_RERUN = 2048
"""Validation samples that are measured once more with other inputs or weights."""
PlacedBatch = tuple[int, UnpackedBatch]
"""A batch with its number in its pass, from 0."""


@dataclass(frozen=True)
class EpochToOpen:
    """One epoch's batches and values, at its end."""

    epoch: int
    training: Reservoir[LazyBatch]
    validation: ValidationRecord
    side: ValidationProbe
    """All of validation as the ledger takes it."""
    totals: EpochTotals
    """Of the epoch's batches."""
    probed: Sequence[UnpackedBatch]
    """Training batches that this epoch's probe has measured, in its order."""
    mode_effect: float
    """Size of what training mode changes the loss of these by, in nats."""

    penalties: tuple[float, float] = (0.0, 0.0)
    """Parts of the training loss that are no sample's, in training and in inference mode, in nats."""

    @functools.cached_property
    def placed_training(self) -> list[PlacedBatch]:
        """Kept training batches with their numbers; they are unpacked for the first who asks."""
        return [(index, unpack()) for index, unpack in self.training.draw(10**9)]

    @property
    def samples(self) -> int:
        """Training samples of the epoch."""
        return self.totals.samples

    @property
    def measured(self) -> int:
        """Training samples that the probe has measured, which bounds what is measured beside them."""
        return sum(batch.samples for batch in self.probed)


def placed_validation(epoch: EpochToOpen) -> list[PlacedBatch]:
    """Return the kept batches of validation with their numbers; none where their samples can't be placed."""
    record = epoch.validation
    sizes = {batch.index: batch.samples for batch in record.by_sample}
    # Where the size of one batch is unknown, samples of all later ones would get wrong indices.
    if len(sizes) != record.batches or sum(sizes.values()) != epoch.side.loss.size:
        return []
    kept = [(index, unpack()) for index, unpack in record.kept.draw(10**9)]
    return kept if all(batch.samples == sizes[index] for index, batch in kept) else []


def placed(validation: Sequence[PlacedBatch], epoch: EpochToOpen) -> list[tuple[IntArray, UnpackedBatch]]:
    """Return each batch of validation with the index of each of its samples among all."""
    starts = np.cumsum([0, *(batch.samples for batch in epoch.validation.by_sample)])
    return [(np.arange(starts[index], starts[index] + batch.samples), batch) for index, batch in validation]


def samples_of(validation: Sequence[PlacedBatch], epoch: EpochToOpen) -> IntArray:
    """Return the index of each sample of some batches of validation among all its samples, shape (n,)."""
    return np.concatenate([sample for sample, _ in placed(validation, epoch)])


def some(batches: Sequence[PlacedBatch], seed: int) -> list[UnpackedBatch]:
    """Return some batches, chosen at random, whose moments are taken."""
    return [batch for _, batch in up_to(batches, MOST_SAMPLES, seed)]


def up_to(batches: Sequence[PlacedBatch], samples: int, seed: int) -> list[PlacedBatch]:
    """Return whole batches with no more samples than asked for, at least one, chosen at random, in their order."""
    # A generator of its own; another seed for each epoch chooses other samples.
    order = np.random.default_rng(seed).permutation(len(batches))
    sizes = np.cumsum([batches[index][1].samples for index in order])
    count = max(1, int(np.searchsorted(sizes, samples, side="right")))
    return [batches[index] for index in sorted(order[:count])]
