"""What unseen samples of training's source would show, from validation's: near the truth, within its error."""

import numpy as np
import pytest

from tui_monitor.explain.ledger.reweighting import features, separability, unseen_difference

Array = np.ndarray


def values_of(x: Array, label: Array) -> Array:
    """Return a loss that depends on the inputs, and on the class."""
    return np.log1p(np.exp(1.5 * x[:, 0] * np.where(label == 1, -1, 1) - 0.5)) + 0.2 * x[:, 1] ** 2


def draw(generator: np.random.Generator, count: int, moved: float) -> tuple[Array, Array]:
    """Return samples of two classes, moved towards one another."""
    label = generator.integers(0, 2, count)
    away = np.where(label == 1, 1.0, -1.0) * (1.0 - moved)
    x = generator.normal(size=(count, 5))
    x[:, 0] += away
    return x, label


@pytest.mark.parametrize("moved", [0.0, 0.4, 0.8])
def test_the_interval_holds_the_truth(moved: float) -> None:
    """Of 60 pairs of sides whose sources differ by as much, at least nine tenths of the intervals hold the truth."""
    held = []
    for seed in range(60):
        generator = np.random.default_rng(seed)
        (x, label), (other_x, other_label) = draw(generator, 500, 0.0), draw(generator, 700, moved)
        values, kept = values_of(other_x, other_label), np.ones(700, dtype=bool)
        share = np.bincount(other_label) / 700
        found = unseen_difference(features(x, label, other_x, other_label), values, kept, share)
        assert found is not None
        fresh_x, fresh_label = draw(generator, 40_000, 0.0)
        fresh = values_of(fresh_x, fresh_label)
        truth = sum(part * fresh[fresh_label == c].mean() for c, part in enumerate(share)) - values.mean()
        held.append(abs(found[0] - truth) < 1.96 * found[1])
    assert np.mean(held) >= 0.9


def test_chance_gives_differences_of_the_size_it_is_said_to_give() -> None:
    """Of 100 pairs of sides of one source, the differences vary as much as said, to a quarter."""
    points, said = [], []
    for seed in range(100):
        generator = np.random.default_rng(seed)
        (x, label), (other_x, other_label) = draw(generator, 500, 0.0), draw(generator, 700, 0.0)
        share = np.bincount(other_label) / 700
        sides = features(x, label, other_x, other_label)
        found = unseen_difference(sides, values_of(other_x, other_label), np.ones(700, dtype=bool), share)
        assert found is not None
        points.append(found[0])
        said.append(found[2])
    assert np.std(points) == pytest.approx(np.mean(said), rel=0.25)
    assert abs(np.mean(points)) < 0.3 * np.mean(said)


def test_samples_that_do_not_count_change_nothing() -> None:
    """Whatever stands in samples that are left out, the answer is the same."""
    generator = np.random.default_rng(0)
    (x, label), (other_x, other_label) = draw(generator, 300, 0.0), draw(generator, 300, 0.3)
    found, kept = features(x, label, other_x, other_label), generator.random(300) < 0.8
    share, values = np.array([0.5, 0.5]), values_of(other_x, other_label)
    changed = np.where(kept, values, 99.0)
    assert unseen_difference(found, values, kept, share) == unseen_difference(found, changed, kept, share)


def test_classes_with_too_few_samples_give_no_answer() -> None:
    """Where a class of a fifth of validation has hardly a training sample, nothing is said."""
    generator = np.random.default_rng(0)
    x, other_x = generator.normal(size=(200, 3)), generator.normal(size=(200, 3))
    label, other_label = np.repeat([0, 1], [195, 5]), np.repeat([0, 1], [160, 40])
    found = features(x, label, other_x, other_label)
    assert unseen_difference(found, other_x[:, 0], np.ones(200, dtype=bool), np.array([0.8, 0.2])) is None


def test_sides_that_hardly_overlap_are_told() -> None:
    """One source gives about a half, moved or noisier inputs more, and inputs that lie elsewhere nearly 1."""
    generator = np.random.default_rng(0)
    train, same = generator.normal(size=(900, 20)), generator.normal(size=(700, 20))
    assert abs(separability(train, same) - 0.5) < 0.08
    assert 0.6 < separability(train, same + 0.2) < 0.95
    assert 0.6 < separability(train, same * 1.3) < 0.95
    assert separability(train, same * 0.2) > 0.95
    assert separability(train, same + 2.0) > 0.95
