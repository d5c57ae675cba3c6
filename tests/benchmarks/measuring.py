"""Ratios between two ways of doing the same work, taken in turns so that a drifting machine favours neither."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]


@dataclass(frozen=True)
class Ratio:
    """A median ratio with its 95 % bootstrap interval."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"


def ratio_in_turns(first: Callable[[], float], second: Callable[[], float], groups: int) -> Ratio:
    """Return first over second, from groups of A B B A.

    Args:
        first: does the work once and returns what it cost, in any unit.
        second: the same for what it is compared with.
        groups: how many groups of four to take, at least 2.
    """
    (ratio,) = ratios_in_turns(lambda: np.array([first()]), lambda: np.array([second()]), groups)
    return ratio


def ratios_in_turns(first: Callable[[], Costs], second: Callable[[], Costs], groups: int) -> list[Ratio]:
    """Return the same for each of several costs of the same work.

    Args:
        first: does the work once and returns what it cost, shape (costs,).
        second: the same for what it is compared with.
        groups: how many groups of four to take, at least 2.
    """
    ratios = []
    for _ in range(groups):
        a1, b1, b2, a2 = first(), second(), second(), first()
        ratios.append((a1 + a2) / (b1 + b2))
    return [_with_interval(ratio) for ratio in np.transpose(ratios)]


def ratios_of_medians(first: Callable[[], Costs], second: Callable[[], Costs], groups: int) -> list[Ratio]:
    """Return first over second for each of several costs of work in parts, of which the medians are added up.

    Args:
        first: does the work once and returns what it cost, shape (costs, parts).
        second: the same for what it is compared with.
        groups: how many groups of A B B A to take, at least 2.
    """
    turns = [(first(), second(), second(), first()) for _ in range(groups)]
    a = np.array([(a1, a2) for a1, _, _, a2 in turns])
    b = np.array([(b1, b2) for _, b1, b2, _ in turns])

    def ratio(chosen: NDArray[np.int64]) -> Costs:
        above, below = (np.median(cost[chosen], axis=(0, 1)).sum(axis=-1) for cost in (a, b))
        return np.asarray(above / below)

    generator = np.random.default_rng(0)
    drawn = [ratio(generator.integers(groups, size=groups)) for _ in range(2000)]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return [Ratio(*map(float, numbers)) for numbers in zip(ratio(np.arange(groups)), low, high, strict=True)]


def _with_interval(ratios: NDArray[np.float64]) -> Ratio:
    generator = np.random.default_rng(0)
    medians = np.median(generator.choice(ratios, (2000, ratios.size)), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return Ratio(float(np.median(ratios)), float(low), float(high))
