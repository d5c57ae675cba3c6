"""Samples and batches of one run, from its recipe and a seed alone."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.causes.recipes import Recipe

FEATURES = 12
_DISTANCE = 2.2
"""Of each class's centre from the origin; a sample lies around its centre with standard deviation 1."""
_OVERLAP = 0.5
"""Share of the hard class that looks like the first class."""
_BATCH = 320
_SMALL, _LARGE = 80, 560

Inputs = NDArray[np.float32]
Labels = NDArray[np.int64]
Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Planted:
    """One run's data. The batches are the same in every epoch; their order is not."""

    x: Inputs
    """Shape (n, 12)."""
    labels: Labels
    sample_weights: Weights | None
    validation_x: Inputs
    validation_labels: Labels
    batches: tuple[Labels, ...]
    """Sample indices of each batch."""
    seed: int

    def orders(self) -> Iterator[Labels]:
        """Yield the sample indices of each batch, without end, the batches shuffled anew in each epoch."""
        generator = np.random.default_rng([self.seed, 1])
        while True:
            for index in generator.permutation(len(self.batches)):
                yield self.batches[index]


def plant(recipe: Recipe, classes: int, seed: int) -> Planted:
    """Return the data of a recipe, the same for the same seed; classes are drawn, not dealt."""
    generator = np.random.default_rng([seed, zlib.crc32(repr(recipe).encode()), classes])
    x, labels, distance = _samples(recipe.train_samples, recipe.hard_share, classes, generator)
    share = recipe.hard_share if recipe.validation_hard_share is None else recipe.validation_hard_share
    validation_x, validation_labels, _ = _samples(recipe.validation_samples, share, classes, generator)
    _flip(labels, recipe.train_flips, generator)
    _flip(validation_labels, recipe.validation_flips, generator)
    if recipe.batch_norm_momentum is not None:
        x, validation_x = 2 + 2 * x, 2 + 2 * validation_x
    weights = None
    if recipe.sample_weights != 1.0:
        weights = np.where(distance > np.median(distance), recipe.sample_weights, 1.0).astype(np.float32)
    deal = _unequal_batches if recipe.every_batch_same else _equal_batches
    return Planted(x, labels, weights, validation_x, validation_labels, deal(labels, classes - 1, generator), seed)


def _samples(
    count: int, hard_share: float, classes: int, generator: np.random.Generator
) -> tuple[Inputs, Labels, NDArray[np.float64]]:
    """Return inputs, classes and each sample's distance from its centre."""
    shares = np.full(classes, (1 - hard_share) / (classes - 1))
    shares[-1] = hard_share
    labels = generator.choice(classes, size=count, p=shares)
    looks_like = np.where((labels == classes - 1) & (generator.random(count) < _OVERLAP), 0, labels)
    noise = generator.normal(0.0, 1.0, (count, FEATURES))
    x = _centres(classes)[looks_like] + noise
    distance = np.linalg.norm(noise, axis=1) + 10.0 * (looks_like != labels)
    return x.astype(np.float32), labels, distance


def _centres(classes: int) -> NDArray[np.float64]:
    """Return the classes' centres: fixed orthogonal directions, shape (classes, 12)."""
    drawn = np.random.default_rng(7).normal(size=(FEATURES, FEATURES))
    return _DISTANCE * np.linalg.qr(drawn)[0][:classes]


def _flip(labels: Labels, share: float, generator: np.random.Generator) -> None:
    """Shuffle the labels of a share of the samples among themselves, in place: class shares stay what they are."""
    chosen = generator.choice(labels.size, round(share * labels.size), replace=False)
    labels[chosen] = generator.permutation(labels[chosen])


def _equal_batches(labels: Labels, hard: int, generator: np.random.Generator) -> tuple[Labels, ...]:
    order = generator.permutation(labels.size)
    size = min(_BATCH, labels.size // 20)
    return tuple(np.split(order, np.arange(size, labels.size, size)))


def _unequal_batches(labels: Labels, hard: int, generator: np.random.Generator) -> tuple[Labels, ...]:
    """Deal small and large batches in turn, half of each small one from the hard class."""
    pairs = labels.size // (_SMALL + _LARGE)
    hard_ones = generator.permutation(np.flatnonzero(labels == hard))
    others = generator.permutation(np.flatnonzero(labels != hard))
    half = _SMALL // 2
    small = [
        np.concatenate([hard_ones[i * half : (i + 1) * half], others[i * half : (i + 1) * half]]) for i in range(pairs)
    ]
    left = generator.permutation(np.setdiff1d(np.arange(labels.size), np.concatenate(small)))
    return tuple(batch for batch in (*small, *np.array_split(left, pairs)) if batch.size)
