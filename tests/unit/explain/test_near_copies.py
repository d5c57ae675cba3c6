"""Near-copies across two sets: found with noise or compression, and never where samples are alike by nature."""

from collections.abc import Callable

import numpy as np
import pytest

from tui_monitor.explain.evidence.near_copies import Copies, NearPairs

Array = np.ndarray


def compare(train: Array, validation: Array, parts: int = 2) -> Copies:
    """Return what is found when training comes in parts."""
    pieces = np.array_split(train.astype(np.float32), parts)
    pairs = NearPairs.begin(validation.astype(np.float32), pieces[0])
    for piece in pieces:
        pairs.add(piece)
    return pairs.copies()


def clusters(generator: np.random.Generator, count: int, numbers: int = 12) -> Array:
    """Return samples around four centres."""
    centres = np.random.default_rng(7).normal(size=(4, numbers))
    return centres[generator.integers(0, 4, count)] + generator.normal(size=(count, numbers))


@pytest.mark.parametrize(("copies", "noise"), [(25, 0.0), (25, 0.02), (60, 0.05), (300, 0.05), (500, 0.1)])
def test_copies_with_noise_are_found(copies: int, noise: float) -> None:
    """Nearly all copies are found, hardly any other sample is taken for one, and how many is said."""
    for seed in range(5):
        generator = np.random.default_rng([seed, copies])
        train, validation = clusters(generator, 2000), clusters(generator, 1000)
        sources = generator.choice(2000, copies, replace=False)
        validation[:copies] = train[sources] + generator.normal(0.0, noise, (copies, 12))
        found = compare(train, validation)
        assert found.is_copy[:copies].sum() >= 0.97 * copies
        assert found.is_copy[copies:].sum() <= max(1.0, found.doubtful)


def test_the_nearest_sample_is_the_source() -> None:
    """Each copy names the training sample that it was made from, in the order in which samples were added."""
    generator = np.random.default_rng(0)
    train, validation = clusters(generator, 900), clusters(generator, 300)
    validation[:100] = train[500:600] + 0.01
    pairs = NearPairs.begin(validation.astype(np.float32), train[:400].astype(np.float32))
    pairs.add(train[:400].astype(np.float32))
    pairs.add(train[400:].astype(np.float32))
    assert pairs.compared == 900
    assert pairs.nearest_index[:100].tolist() == list(range(500, 600))


def _tokens(generator: np.random.Generator, count: int) -> Array:
    return np.minimum(generator.geometric(0.3, (count, 4)), 6).astype(float)


def _few_values(generator: np.random.Generator, count: int) -> Array:
    return generator.integers(0, 3, (count, 5)).astype(float)


def _one_number(generator: np.random.Generator, count: int) -> Array:
    return generator.normal(size=(count, 1))


def _constant(generator: np.random.Generator, count: int) -> Array:
    return np.ones((count, 8)) + np.where(generator.random((count, 1)) < 0.1, generator.normal(size=(count, 8)), 0.0)


def _walk(generator: np.random.Generator, count: int) -> Array:
    steps = np.cumsum(np.random.default_rng(3).normal(size=4000))
    return np.lib.stride_tricks.sliding_window_view(steps, 8)[generator.permutation(3900)[:count]]


NATURES: list[Callable[[np.random.Generator, int], Array]] = [
    _tokens,
    _few_values,
    _one_number,
    _constant,
    _walk,
    clusters,
    lambda generator, count: np.exp(3 * generator.normal(size=(count, 6))),
    lambda generator, count: np.repeat(clusters(generator, count // 4 + 1), 4, axis=0)[:count],
]


@pytest.mark.parametrize("draw", NATURES)
def test_samples_alike_by_nature_are_no_copies(draw: Callable[[np.random.Generator, int], Array]) -> None:
    """In none of 25 pairs of sets without a copy is one found, whatever the samples are."""
    for seed in range(25):
        generator = np.random.default_rng(seed)
        train, validation = np.split(generator.permutation(draw(generator, 1300)), [900])
        assert not compare(train, validation).is_copy.any()


def test_grids_that_fall_between_are_no_copies() -> None:
    """Evenly spaced samples of two different spacings are close to one another, without a gap that tells copies."""
    for count in (300, 400, 777):
        train, validation = np.linspace(-1, 1, 1000), np.linspace(-1, 1, count)
        assert not compare(train[:, np.newaxis], validation[:, np.newaxis]).is_copy.any()


def test_validation_of_another_density_has_no_copies() -> None:
    """Validation that lies where training is densest is closer to it than training is to itself, and no copy of it."""
    for seed in range(10):
        generator = np.random.default_rng(seed)
        train = np.concatenate([generator.normal(0, 0.1, (200, 6)), generator.normal(0, 3.0, (800, 6))])
        assert not compare(generator.permutation(train), generator.normal(0, 0.1, (400, 6))).is_copy.any()
