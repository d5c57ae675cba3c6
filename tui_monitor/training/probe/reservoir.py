"""A uniform random sample of an epoch's whole batches, within a memory budget, drawn with numbers of its own."""

import random
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Batch = TypeVar("Batch")

MEMORY_BUDGET = 64 * 2**20
"""Bytes of batches that are kept by default."""


@dataclass
class Reservoir(Generic[Batch]):
    """Keeps every batch offered until memory is short, then each with the same probability.

    Algorithm R (Vitter, Random sampling with a reservoir, 1985), with a capacity that shrinks by evicting at random
    when batches turn out larger than thought; what is left stays a uniform sample.
    """

    memory_budget: int = MEMORY_BUDGET
    """Bytes that the kept batches may take together."""
    seed: int = 0
    """Of the reservoir's own random numbers; the training's are never touched."""
    _kept: list[tuple[int, int, Batch]] = field(default_factory=list)
    _bytes: int = 0
    _offered: int = 0
    _capacity: int | None = None

    def __post_init__(self) -> None:
        # A generator of its own: a draw from the global one would change the user's shuffling.
        self._random = random.Random(self.seed)

    def clear(self) -> None:
        """Forget all batches, as at the beginning of an epoch."""
        self._kept.clear()
        self._bytes = self._offered = 0
        self._capacity = None

    def offer(self, index: int, size: int, batch: Batch) -> None:
        """Keep a batch, or let it pass.

        Args:
            index: the batch's number in the epoch, from 0.
            size: bytes it holds.
            batch: what is kept.
        """
        self._offered += 1
        if self._capacity is None:
            self._kept.append((index, size, batch))
        else:
            slot = self._random.randrange(self._offered)
            if slot >= self._capacity:
                return
            self._bytes -= self._kept[slot][1]
            self._kept[slot] = (index, size, batch)
        self._bytes += size
        # One batch stays however large it is: without any, nothing could be measured.
        while self._bytes > self.memory_budget and len(self._kept) > 1:
            self._evict()

    def _evict(self) -> None:
        victim = self._random.randrange(len(self._kept))
        self._bytes -= self._kept[victim][1]
        self._kept[victim] = self._kept[-1]
        self._kept.pop()
        # From now on a new batch has to displace another one, or memory would grow again.
        self._capacity = len(self._kept)

    def draw(self, most: int) -> list[tuple[int, Batch]]:
        """Return up to `most` kept batches, chosen at random, as (index, batch) in the order of training."""
        chosen = self._kept if len(self._kept) <= most else self._random.sample(self._kept, most)
        return sorted(((index, batch) for index, _, batch in chosen), key=lambda entry: entry[0])

    def __len__(self) -> int:
        return len(self._kept)
