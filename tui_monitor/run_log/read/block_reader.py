"""The first batches of a long fit by their block summaries, believed only where they fit the records."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_monitor.run_log.format.batch_records import Records
from tui_monitor.run_log.format.block_summaries import BLOCK, Blocks, are_whole, block_type, is_of
from tui_monitor.run_log.format.layout import FitInfo
from tui_monitor.run_log.format.pyramid_level import Float64Array, PyramidLevel
from tui_monitor.run_log.read.stored_records import StoredRecords

_SAMPLED = 8
"""Blocks whose records are compared, spread over the file and at its end, before any are believed."""


@dataclass(frozen=True)
class Summaries:
    """The first batches of a fit, whole blocks of them, without their records."""

    blocks: Blocks
    stored: StoredRecords
    """Where the records are."""

    @property
    def batches(self) -> int:
        """Number of batches that they summarise."""
        return len(self.blocks) * BLOCK

    @property
    def seconds(self) -> Float64Array:
        """Latest run time in each block, shape (blocks,)."""
        return np.ascontiguousarray(self.blocks["seconds"])

    def level(self, metric: int) -> PyramidLevel:
        """Return the values of one metric, the fit's first being 0."""
        low, high, total, count = (self.blocks[name][:, metric] for name in ("low", "high", "total", "count"))
        return PyramidLevel(low.copy(), high.copy(), total.copy(), count.astype(np.int64))

    def epochs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Float64Array]:
        """Return where epochs begin: batch by index, number of the epoch, time of the batch; all of shape (epochs,)."""
        blocks = self.blocks
        starts = np.arange(len(blocks)) * BLOCK
        # No epoch has the number −1, so the first block counts as the begin of one.
        before = np.concatenate(([-1], blocks["last_epoch"][:-1].astype(np.int64)))
        edge = blocks["first_epoch"] != before
        once, often = blocks["changes"] == 1, np.flatnonzero(blocks["changes"] > 1)
        found = [
            (starts[edge], blocks["first_epoch"][edge], blocks["first_seconds"][edge]),
            (starts[once] + blocks["changed_at"][once], blocks["last_epoch"][once], blocks["changed_seconds"][once]),
            *(self._epochs_within(int(start)) for start in starts[often]),
        ]
        indices, numbers, seconds = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.argsort(indices)
        return indices[order], numbers[order].astype(np.int64), seconds[order]

    def _epochs_within(self, start: int) -> tuple[NDArray[Any], ...]:
        """Return the epochs that begin in a block after its first batch, from the records."""
        batches = np.arange(start, start + BLOCK)
        epochs = self.stored.column("epoch", batches)
        indices = np.flatnonzero((epochs[1:] != epochs[:-1]) & (epochs[1:] > 0)) + 1
        return start + indices, epochs[indices], self.stored.column("time", batches[indices])


def read_blocks(path: Path, fit: FitInfo, batches: int, read: Callable[[int], Records]) -> Blocks:
    """Return the blocks of a fit's first batches, as many as are whole and fit their records.

    Args:
        path: of the blocks' file.
        fit: theirs.
        batches: use no block of batches beyond this number.
        read: returns the records of a block by its number, fewer than `BLOCK` where they can't be read.
    """
    kind = block_type(fit)
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    blocks = np.frombuffer(content, kind, min(len(content) // kind.itemsize, max(batches, 0) // BLOCK))
    is_whole = are_whole(blocks)
    blocks = blocks if is_whole.all() else blocks[: int(is_whole.argmin())]
    spread = np.linspace(0, len(blocks) - 1, _SAMPLED).astype(int) if len(blocks) else np.array([], int)
    sampled = {*spread.tolist(), *range(max(len(blocks) - _SAMPLED, 0), len(blocks))}
    # One block that does not fit its records makes all the others suspect.
    return blocks if all(is_of(blocks[number], read(number)) for number in sampled) else blocks[:0]
