"""Following a run without a screen: a line now and then, a headline after each epoch, all on standard error."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tui_monitor import units
from tui_monitor.explain.explanation import explanation_from_json
from tui_monitor.history.fold import History
from tui_monitor.history.snapshot import EpochRow, ExplanationAt, PhaseSnapshot, Snapshot
from tui_monitor.launch.training_process import TrainingProcess
from tui_monitor.run_log.cluster_reader import ClusterReader
from tui_monitor.run_log.control import Action, send_request
from tui_monitor.run_log.presence import concluded_state, observe_run
from tui_monitor.run_log.workers import run_of

_POLL_SECONDS = 0.1
_PROGRESS_SECONDS = 10.0


def follow_headless(folder: Path, training: TrainingProcess | None) -> None:
    """Print a run's progress until it has ended.

    Ctrl-C asks a training that this command started to stop after its batch; a second one interrupts its process,
    a third kills it. A run of someone else is only left.
    """
    lines = _Lines()
    snapshots = _snapshots(folder, training)
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
            snapshots = _snapshots(folder, training)
        else:
            return


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _snapshots(folder: Path, training: TrainingProcess | None) -> Iterator[Snapshot]:
    """Yield the run whenever it changed, until it has ended and all of it is read."""
    reader, history = ClusterReader(folder), History(folder.name)
    while True:
        gone = training is not None and training.exit_code is not None
        presence = observe_run(folder)
        arrival = reader.poll()
        changed = history.fold(arrival)
        if arrival.complete:
            changed |= history.mark(concluded_state(history.snapshot().state, presence))
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
        self._epochs = 0
        self._explanations = 0
        self._entries = 0
        self._phase = 0
        self._spoken_at = 0.0

    def of(self, snapshot: Snapshot, now: float) -> Iterator[str]:
        """Yield the lines that are new in a snapshot; `now` is any clock in seconds."""
        phase = snapshot.phase
        if phase is not None:
            if phase.info.index != self._phase:
                self._phase, self._epochs, self._explanations = phase.info.index, 0, 0
            yield from self._of_phase(phase, now)
        for entry in snapshot.timeline[self._entries :]:
            if entry.kind in ("alert", "change", "control"):
                yield f"{entry.kind}: {entry.text}"
        self._entries = len(snapshot.timeline)
        if snapshot.state.ended and snapshot.state != self._state:
            self._state = snapshot.state
            yield f"{snapshot.state}{': ' + snapshot.detail if snapshot.detail else ''}"
        elif not self._state:
            self._state = "begun"
            yield f"{snapshot.run.name}: {snapshot.state}"

    def _of_phase(self, phase: PhaseSnapshot, now: float) -> Iterator[str]:
        for row in phase.epochs[self._epochs :]:
            self._spoken_at = now
            yield _epoch_line(row, phase)
        self._epochs = len(phase.epochs)
        for entry in phase.explanations[self._explanations :]:
            if entry.batch is None:
                yield from _headline(entry)
        self._explanations = len(phase.explanations)
        if now - self._spoken_at > _PROGRESS_SECONDS and phase.epoch:
            self._spoken_at = now
            of = f"/{phase.steps_per_epoch}" if phase.steps_per_epoch else ""
            yield f"epoch {_of_plan(phase.epoch, phase)}  batch {phase.batch}{of}"


def _of_plan(epoch: int, phase: PhaseSnapshot) -> str:
    return f"{epoch}/{phase.info.epochs}" if phase.info.epochs else str(epoch)


def _epoch_line(row: EpochRow, phase: PhaseSnapshot) -> str:
    figures = "  ".join(f"{name} {units.figure(value)}" for name, value in row.figures.items())
    took = f"  {row.seconds:.1f} s" if row.seconds is not None else ""
    return f"epoch {_of_plan(row.epoch, phase)}  {figures}{took}"


def _headline(entry: ExplanationAt) -> Iterator[str]:
    explanation = explanation_from_json(entry.content)
    limits = explanation.limits if explanation.loss is not None else ()
    headline = explanation.headline if explanation.evidence == "probe" or not limits else ""
    for sentence in (explanation.verdict, headline, *limits):
        if sentence:
            yield f"  {sentence}"
