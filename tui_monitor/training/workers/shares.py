"""How workers bring their measurements together: through files in the run folder, never through the training's graph.

Nobody waits during training: each worker leaves its share in its own folder, and the chief takes it once it is there.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tui_monitor.explain.measure import Moment, explain_probe
from tui_monitor.explain.samples.join_workers import WorkerShare, join_shares
from tui_monitor.run_log.events.explanation import Cost, Explanation
from tui_monitor.run_log.format.layout import WorkerInfo
from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.runs.workers import rank_folders, run_of
from tui_monitor.run_log.write.writer import RunWriter

LAST_WAIT_SECONDS = 10.0
"""How long the chief waits for the others when a `fit` ends."""
_TICK_SECONDS = 0.05
WITHIN_EPOCH_CAVEAT = "Within an epoch only the samples of worker 0 are measured; at its end those of every worker."


@dataclass(frozen=True)
class _Sheet:
    """A share as it is written down."""

    fit: int
    epoch: int
    share: WorkerShare | None
    """None where the worker measured nothing."""


class WorkerShares:
    """The shares of one `fit`, as one worker sees them."""

    def __init__(self, writer: RunWriter, worker: WorkerInfo) -> None:
        """Begin with none.

        Args:
            writer: of this worker's own records.
            worker: who this is.
        """
        self._writer = writer
        self._worker = worker
        self._offered: tuple[int, Moment, WorkerShare] | None = None
        self._closed = 0, 0
        """The newest fit and epoch of which this worker has said what it measured."""

    @property
    def is_chief(self) -> bool:
        """Whether this worker explains what all have measured."""
        return self._worker.rank == 0

    def offer(self, moment: Moment, share: WorkerShare) -> None:
        """Leave what this worker measured at an epoch's end.

        Args:
            moment: of the measurement.
            share: what was measured.

        Raises:
            OSError: a worker's share can't be written.
        """
        fit = len(self._writer.info.fits)
        self._closed = fit, moment.epoch
        if self.is_chief:
            # The chief's own share needs no file: it stays here until those of the others are there.
            self._offered = (fit, moment, share)
        else:
            self._leave(_Sheet(fit, moment.epoch, share))

    def close_epoch(self, epoch: int) -> None:
        """Leave word that this worker measured nothing of an epoch, unless it has offered what it did.

        Args:
            epoch: that has ended, from 1.

        Raises:
            OSError: the word can't be written.
        """
        fit = len(self._writer.info.fits)
        if self._closed == (fit, epoch):
            return
        self._closed = fit, epoch
        if self.is_chief:
            self._offered = None
        else:
            self._leave(_Sheet(fit, epoch, None))

    def _leave(self, sheet: _Sheet) -> None:
        content = msgspec.msgpack.encode(sheet, enc_hook=_encoded)
        replace_file(_sheet_file(self._writer.folder, sheet.epoch), content)

    def explanation(self, cost: Cost, *, wait_seconds: float | None = None) -> Explanation | None:
        """Return the explanation of the epoch that was offered last, once, as soon as all its shares are there.

        Args:
            cost: of measuring so far.
            wait_seconds: how long to wait for the others at most, after which the shares that are there are
                explained; None to return None at once where one is missing.

        Returns:
            None while shares are missing, and where a worker measured nothing.
        """
        if self._offered is None:
            return None
        fit, moment, own = self._offered
        deadline = time.monotonic() + (wait_seconds or 0.0)
        while True:
            sheets = self._of_others(fit, moment.epoch)
            if len(sheets) == len(self._others()) or (wait_seconds is not None and time.monotonic() >= deadline):
                break
            if wait_seconds is None:
                return None
            # Only where the fit has ended: during training nobody ever waits for another worker here.
            time.sleep(_TICK_SECONDS)
        self._offered = None
        shares = [sheet.share for sheet in sheets if sheet.share is not None]
        if len(shares) < len(sheets):
            # Another worker measured nothing: what this one saw alone would stand for all.
            return None
        training, validation = join_shares([own, *shares])
        moment = replace(moment, samples=sum(share.samples for share in (own, *shares)))
        missing = self._worker.workers - 1 - len(shares)
        if missing:
            validation = replace(validation, complete=False) if validation is not None else None
            moment = replace(moment, caveats=(*moment.caveats, _missing_sentence(missing, self._worker.workers)))
        return replace(explain_probe(training, validation, moment), cost=cost)

    def _others(self) -> list[Path]:
        return list(rank_folders(run_of(self._writer.folder)).values())

    def _of_others(self, fit: int, epoch: int) -> list[_Sheet]:
        """Return what the workers that record here have left, those that measured nothing included."""
        sheets = []
        for folder in self._others():
            # Not there yet, or stale on a network file system: the same file is read again at the next try.
            with suppress(OSError, msgspec.MsgspecError, ValueError):
                content = _sheet_file(folder, epoch).read_bytes()
                sheet = msgspec.msgpack.decode(content, type=_Sheet, dec_hook=_decoded)
                if (sheet.fit, sheet.epoch) == (fit, epoch):
                    sheets.append(sheet)
        return sheets


def _sheet_file(folder: Path, epoch: int) -> Path:
    """Return the file of an epoch's share: two take turns, so that a late chief still finds the one before."""
    return folder / f"share-{epoch % 2}.msgpack"


def _missing_sentence(missing: int, workers: int) -> str:
    who = "one worker" if missing == 1 else f"{missing} workers"
    return (
        f"The samples of {who} of {workers} were not measured: what they add to the values is counted under "
        "“Running average” and “Not measured”."
    )


def _encoded(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype.str, list(value.shape), value.tobytes()
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(type(value).__name__)


def _decoded(kind: Any, value: Any) -> Any:
    dtype, shape, content = value
    return np.frombuffer(content, np.dtype(dtype)).reshape(shape)
