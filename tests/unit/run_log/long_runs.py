"""Runs long enough to be summarised, written at once: made of arrays, as a training would have left them."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tui_monitor.run_log.format.batch_records import Records
from tui_monitor.run_log.format.block_summaries import BLOCK
from tui_monitor.run_log.format.layout import FitInfo, RunInfo, batch_columns, batches_file
from tui_monitor.run_log.format.run_json import write_run_info
from tui_monitor.run_log.write.block_writer import extend_blocks

ORDINARY = 3000
"""Batches: eleven blocks and a rest, of which seven blocks are taken in place of their records."""


def some_records(batches: int = ORDINARY, *, seed: int = 0, steps: int = 700, ill: float = 0.0) -> Records:
    """Return records of a loss and an accuracy.

    Args:
        batches: how many.
        seed: of the values.
        steps: batches in an epoch.
        ill: fraction of values that are NaN or infinite, of times that go back, and of epochs that set back.
    """
    chance = np.random.default_rng(seed)
    records = np.zeros(batches, FitInfo(1, batch_columns(["loss", "acc"]), "").dtype)
    records["time"] = np.cumsum(chance.exponential(0.01, batches))
    records["epoch"], records["size"] = np.arange(batches) // steps + 1, 32
    back = chance.random(batches) < ill
    records["time"][back] *= chance.random(back.sum())
    if ill and batches > steps + BLOCK:
        position = int(chance.integers(steps + BLOCK, batches))
        records["epoch"][position // BLOCK * BLOCK if seed % 2 else position :] -= 1
    for name in ("loss", "acc"):
        records[name] = chance.lognormal(0, 3, batches)
        is_ill = chance.random(batches) < ill
        records[name][is_ill] = chance.choice([np.nan, np.inf, -np.inf], is_ill.sum())
    return records


def some_fits() -> st.SearchStrategy[list[Records]]:
    """Return a strategy for the records of one or two fits, with all that makes them hard to summarise."""
    one = st.builds(
        some_records,
        st.sampled_from((ORDINARY, 1281, 2000, 0)),
        seed=st.integers(0, 2**16),
        steps=st.sampled_from((700, 7, 256, 257, 300, 150, 1, 5000)),
        ill=st.sampled_from((0.01, 0.9, 0.0)),
    )
    return st.lists(one, min_size=1, max_size=2)


def written(folder: Path, *fits: Records, upto: int | None = None) -> Path:
    """Write a run, or its first records alone, with the blocks that it has filled; return its folder."""
    infos = tuple(
        FitInfo(number, batch_columns(["loss", "acc"]), batches_file(number), epochs=5)
        for number in range(1, len(fits) + 1)
    )
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        write_run_info(descriptor, RunInfo(name="long", fits=infos))
        for info, records in zip(infos, fits, strict=True):
            (folder / info.batches).write_bytes(records[:upto].tobytes())
            extend_blocks(descriptor, info, least=1)
    finally:
        os.close(descriptor)
    return folder


def grow(folder: Path, records: Records) -> None:
    """Add records to the first fit, without any blocks."""
    with (folder / batches_file(1)).open("ab") as file:
        file.write(records.tobytes())


def read_to_end(reader: Any, *receivers: Any) -> None:
    """Give all that a reader finds to those that fold it."""
    for _ in range(10_000):
        arrival = reader.poll(max_seconds=10)
        for receiver in receivers:
            receiver.fold(arrival)
        if arrival.complete:
            return
    raise AssertionError("the reader never came to the end")
