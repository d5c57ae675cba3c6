"""Following a run without a screen: a line now and then, a headline after each epoch, all on standard error."""

import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tui_monitor import units
from tui_monitor.history.snapshot import EpochRow, ExplanationAt, FitSnapshot, Snapshot
from tui_monitor.history.state.fold import History
from tui_monitor.launch import TrainingProcess
from tui_monitor.run_log.read.cluster_reader import ClusterReader
from tui_monitor.run_log.runs.control import Action, send_request
from tui_monitor.run_log.runs.liveness import concluded_state, observe_run
from tui_monitor.run_log.runs.workers import run_of
from tui_monitor.view.explanations import logged_answer, measured_epochs

_POLL_SECONDS = 0.1
_PROGRESS_SECONDS = 10.0


def train_headless(folder: Path, training: TrainingProcess) -> None:
    """Start a training and print its progress until it has ended; a SIGTERM is passed on to it.

    Args:
        folder: of the run.
        training: about to be started.
    """
    sentences: deque[str] = deque()
    with training.terminated_with_us(sentences.append):
        training.start()
        follow_headless(folder, training, sentences)


def follow_headless(folder: Path, training: TrainingProcess | None, sentences: deque[str] | None = None) -> None:
    """Print a run's progress until it has ended.

    Ctrl-C requests that a training of this command stops after its batch; a second one interrupts its process,
    a third kills it. A run of someone else is only left.

    Args:
        folder: of the run.
        training: that this command started; None for a run of someone else.
        sentences: to be printed besides, as they come in from signal handlers.
    """
    sentences = deque() if sentences is None else sentences
    lines = _Lines()
    snapshots = _snapshots(folder, training, sentences)
    pressed = 0
    while True:
        try:
            for snapshot in snapshots:
                for line in lines.of(snapshot, time.monotonic()):
                    _say(line)
        except KeyboardInterrupt:
            if training is None:
                raise
            pressed += 1
            if pressed == 1:
                send_request(run_of(folder), Action.STOP_BATCH, sender="headless")
                _say("Stopping after this batch. Ctrl-C again interrupts the training process.")
            elif pressed == 2:
                training.interrupt()
                _say("Interrupted. Ctrl-C again kills the training process.")
            else:
                training.kill()
            snapshots = _snapshots(folder, training, sentences)
        else:
            return


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _snapshots(folder: Path, training: TrainingProcess | None, sentences: deque[str]) -> Iterator[Snapshot]:
    """Yield the run whenever it changed, until it has ended and all of it is read; print sentences meanwhile."""
    reader, history = ClusterReader(folder), History(folder.name)
    while True:
        while sentences:
            _say(sentences.popleft())
        # Both before reading: what a process wrote before it ended is then read before the run is called over.
        gone = training is not None and training.exit_code is not None
        liveness = observe_run(folder)
        arrival = reader.poll()
        changed = history.fold(arrival)
        if arrival.complete:
            changed |= history.mark(concluded_state(history.snapshot().state, liveness))
        if changed:
            yield history.snapshot()
        if arrival.complete and (history.snapshot().state.ended or gone or arrival.missing):
            return
        if arrival.complete:
            time.sleep(_POLL_SECONDS)


class _Lines:
    """Remembers what was said of a run, so that nothing is said twice."""

    def __init__(self) -> None:
        self._state = ""
        self._told: dict[int, tuple[int, int, int]] = {}
        """Epochs, explanations and epochs known to be without one told of each fit."""
        self._entries = 0
        self._spoken_at = 0.0

    def of(self, snapshot: Snapshot, now: float) -> Iterator[str]:
        """Yield the lines that are new in a snapshot, in the order in which things happened.

        Args:
            snapshot: the newest.
            now: any clock, in seconds.
        """
        news = sorted(self._news(snapshot), key=lambda told: told.order)
        for told in news:
            self._spoken_at = now
            yield from told.lines
        if snapshot.fit is not None and not snapshot.state.ended:
            yield from self._progress(snapshot.fit, now)
        if snapshot.state.ended and snapshot.state != self._state:
            self._state = snapshot.state
            yield f"{snapshot.state}{': ' + snapshot.detail if snapshot.detail else ''}"
        elif not self._state:
            self._state = "begun"
            yield f"{snapshot.run.name}: {snapshot.state}"

    def _news(self, snapshot: Snapshot) -> Iterator["_Told"]:
        for fit in snapshot.fits:
            epochs, explanations, concluded = self._told.get(fit.info.index, (0, 0, 0))
            is_under_way = fit is snapshot.fit and not snapshot.state.ended
            to_conclude = len(fit.epochs) - is_under_way
            self._told[fit.info.index] = (len(fit.epochs), len(fit.explanations), max(to_conclude, concluded))
            for row in fit.epochs[epochs:]:
                yield _Told(row.ended, row.epoch, (_epoch_line(row, fit),))
            for row in fit.epochs[concluded : max(to_conclude, concluded)]:
                yield _Told(row.ended, row.epoch, tuple(_unmeasured(row, fit, snapshot)))
            for held in fit.explanations[explanations:]:
                if held.batch is None:
                    yield _Told(held.seconds, held.epoch, tuple(_headline(held)))
        for entry in snapshot.timeline[self._entries :]:
            if entry.kind in ("alert", "change", "control"):
                yield _Told(entry.seconds, entry.epoch or 0, (f"{entry.kind}: {entry.text}",))
        self._entries = len(snapshot.timeline)

    def _progress(self, fit: FitSnapshot, now: float) -> Iterator[str]:
        if now - self._spoken_at > _PROGRESS_SECONDS and fit.epoch:
            self._spoken_at = now
            of = f"/{fit.steps_per_epoch}" if fit.steps_per_epoch else ""
            yield f"epoch {_of_plan(fit.epoch, fit)}  batch {fit.batch}{of}"


@dataclass(frozen=True)
class _Told:
    """What is said of one thing that happened."""

    seconds: float
    """Run time; 0 in logs without times, where the epoch alone tells the order."""
    epoch: int
    lines: tuple[str, ...]

    @property
    def order(self) -> tuple[float, int]:
        """Earlier things first; those of one moment as they were found."""
        return self.seconds, self.epoch


def _of_plan(epoch: int, fit: FitSnapshot) -> str:
    return f"{epoch}/{fit.info.epochs}" if fit.info.epochs else str(epoch)


def _epoch_line(row: EpochRow, fit: FitSnapshot) -> str:
    metrics = "  ".join(f"{name} {units.rounded(value)}" for name, value in row.metrics.items())
    took = f"  {row.seconds:.1f} s" if row.seconds is not None else ""
    which = f"fit {fit.info.index}  " if fit.info.index > 1 else ""
    return f"{which}epoch {_of_plan(row.epoch, fit)}  {metrics}{took}"


def _unmeasured(row: EpochRow, fit: FitSnapshot, snapshot: Snapshot) -> Iterator[str]:
    """Yield what can be said of an epoch that was not measured at its end, in a fit where others were."""
    measured = [epoch for epoch, held in measured_epochs(fit).items() if held.batch is None]
    logged = logged_answer(snapshot, fit, row.epoch).explanation
    if measured and row.epoch not in measured and logged is not None:
        yield f"  {logged.verdict}"
        yield "  Not measured here: that would have cost more than the budget (--probe-budget)."


def _headline(held: ExplanationAt) -> Iterator[str]:
    explanation = held.explanation
    if explanation is None:
        yield f"  {held.recorded.problem}"
        return
    limits = explanation.limits if explanation.loss is not None else ()
    headline = explanation.headline if explanation.evidence == "probe" or not limits else ""
    for sentence in (explanation.verdict, headline, *limits):
        if sentence:
            yield f"  {sentence}"
