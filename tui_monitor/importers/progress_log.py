"""Keras' progress text, line by line, becomes records; what is recorded never depends on lines to come."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from tui_monitor.importers.log_ending import Ending
from tui_monitor.importers.progress_line import ProgressLine, continue_line, parse_header, parse_progress
from tui_monitor.importers.records import Ended, EpochBegan, EpochEnded, PhaseBegan, Record, Remark
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.run_log.format.layout import State


@dataclass
class _Progress:
    """All that is remembered between two lines; plain values, so that it can be kept beside the run."""

    pending: str = ""
    """The line before, where it showed progress and may go on."""
    candidate: str = ""
    """The line that reports the epoch under way as a whole, so far."""
    epoch: int = 0
    """Epoch under way, from 1; 0 outside of one."""
    last: int = 0
    """Highest epoch announced in the phase."""
    planned: int | None = None
    of: int | None = None
    """Batches in the epoch under way, as its bar counts them."""
    offset: int = 0
    """Added to printed numbers: 1 where they begin with 0."""
    phases: int = 0
    epochs: int = 0
    """Epochs recorded."""
    has_header: bool = False
    names: list[str] = field(default_factory=list)
    """Figures of the epoch recorded before, in the same phase."""
    unannounced: int = 0
    """Epochs taken from bars without an `Epoch` line."""
    others: int = 0
    """Finished bars that are not training's: `evaluate` and the like."""
    samples: list[int] = field(default_factory=list)
    """Sizes of training sets, where old versions announce them: their bars count samples."""
    ending: Ending = field(default_factory=Ending)


class ProgressLog:
    """Reads the text that Keras 1 to 3 print during `fit`, between whatever else a script prints."""

    is_terminal = True

    def __init__(self, saved: Mapping[str, Any] | None = None) -> None:
        """Begin with the first line, or where another one left off.

        Args:
            saved: what `save` returned.
        """
        self._state = msgspec.convert(saved, _Progress) if saved else _Progress()

    def save(self) -> dict[str, Any]:
        """Return the state after the last line, as plain JSON types."""
        return asdict(self._state)

    def line(self, text: str) -> Iterator[Record]:
        """Yield what a line completes."""
        state = self._state
        joined = continue_line(state.pending, text) if state.pending else None
        if joined is not None:
            if state.candidate == state.pending:
                state.candidate = ""
            state.pending = joined
            yield from self._consider(joined)
            state.ending.read(text)
            return
        state.pending = ""
        header = parse_header(text)
        if header is not None:
            state.ending = Ending()
            yield from self._announce(*header)
            return
        progress = parse_progress(text)
        if progress is not None and (progress.figures or progress.has_bar):
            state.pending = text
            yield from self._consider(text)
        state.ending.read(text)
        state.samples.extend(_announced_samples(text))

    def close(self, rest: str) -> Iterator[Record]:
        """Yield what the end of the log completes.

        Args:
            rest: text after the last line's end.
        """
        if rest:
            yield from self.line(rest)
        names, was_cut = list(self._state.names), False
        for record in self._finish_epoch():
            was_cut |= isinstance(record, Remark)
            lost = [name for name in names if name not in record.logs] if isinstance(record, EpochEnded) else []
            if isinstance(record, EpochEnded) and lost and not was_cut:
                text = f"The log breaks off in epoch {record.epoch}: it has no {', '.join(lost)}."
                yield Remark(text, epoch=record.epoch)
            yield record
        yield from self._remarks()
        yield self._ended()

    def _announce(self, printed: int, planned: int) -> Iterator[Record]:
        state = self._state
        is_first = state.phases == 0 or planned != state.planned
        if printed == 0:
            state.offset = 1
        elif is_first and printed == 1:
            state.offset = 0
        number = printed + state.offset
        if state.epoch == number and not is_first and not state.candidate and state.of is None:
            return
        yield from self._finish_epoch()
        state.has_header = True
        if is_first or number <= state.last:
            if 1 < number <= state.last and not is_first:
                yield Remark(f"Epoch {number} comes again: the training was set back.", epoch=number)
            yield from self._begin_phase(planned, number - 1)
        elif number > state.last + 1:
            yield Remark(f"Nothing is logged of epochs {state.last + 1} to {number - 1}.", epoch=number)
        state.epoch = state.last = number
        yield EpochBegan(number)

    def _begin_phase(self, planned: int, done: int) -> Iterator[Record]:
        state = self._state
        state.phases += 1
        state.planned, state.last, state.names = planned, done, []
        yield PhaseBegan(epochs=planned, initial_epoch=done)

    def _consider(self, text: str) -> Iterator[Record]:
        """Take a line of progress for the epoch's report where it is one."""
        state, progress = self._state, parse_progress(text)
        if progress is None:
            return
        if not state.epoch:
            yield from self._consider_unannounced(text, progress)
            return
        is_validated = _has_validation(progress)
        if state.of is None and progress.of is not None:
            state.of = progress.of
        if not progress.is_finished:
            return
        is_foreign = None not in (progress.of, state.of) and progress.of != state.of
        if is_foreign and not is_validated:
            state.others += 1
        elif not state.candidate or _supersedes(parse_progress(state.candidate), progress):
            state.candidate = text
        else:
            state.others += 1

    def _consider_unannounced(self, text: str, progress: ProgressLine) -> Iterator[Record]:
        """A single epoch has no `Epoch` line in Keras 2.4 and later, and neither has `evaluate`."""
        state = self._state
        if not progress.is_finished:
            if state.candidate and progress.at is not None:
                yield from self._finish_epoch()
        elif state.has_header and not _has_validation(progress):
            state.others += 1
        elif state.candidate and _supersedes(parse_progress(state.candidate), progress):
            state.candidate = text
        else:
            yield from self._finish_epoch()
            state.candidate = text

    def _finish_epoch(self) -> Iterator[Record]:
        state = self._state
        text, state.candidate = state.candidate, ""
        epoch, state.epoch = state.epoch, 0
        of, state.of = state.of, None
        progress = parse_progress(text) if text else None
        if progress is None:
            if epoch:
                yield Remark(f"Epoch {epoch} does not end in the log.", epoch=epoch)
            return
        if not epoch:
            state.unannounced += 1
            yield from self._begin_phase(1, 0)
            epoch = state.last = 1
            yield EpochBegan(epoch)
        figures = dict(progress.figures)
        if progress.is_cut:
            if progress.ends_in_figure:
                figures.popitem()
            yield Remark(f"The line of epoch {epoch} breaks off: …{text[-24:]}", epoch=epoch)
        state.names = list(figures)
        state.epochs += 1
        yield EpochEnded(epoch, figures, seconds=progress.seconds, batches=self._batches(progress, of))

    def _batches(self, progress: ProgressLine, of: int | None) -> int:
        counted = progress.of or of or progress.at or 0
        return 0 if progress.counts_samples or counted in self._state.samples else counted

    def _remarks(self) -> Iterator[Record]:
        state = self._state
        if not state.epochs:
            yield Remark("No finished epoch of Keras training is in this log.")
        if state.unannounced:
            yield Remark(
                f"{state.unannounced} finished bars without an `Epoch` line were taken for trainings of one epoch; "
                "`evaluate` prints the same.",
                kind="note",
            )
        if state.others:
            yield Remark(f"{state.others} finished bars are not training's own and were left out.", kind="note")

    def _ended(self) -> Ended:
        state = self._state
        if state.ending.state is not None:
            return Ended(state.ending.state, state.ending.detail)
        planned = state.planned
        if planned is None or state.last >= planned or state.ending.stopped_early:
            return Ended(State.FINISHED)
        return Ended(State.STOPPED, f"The log ends with epoch {state.last} of {planned}.")


def _has_validation(progress: ProgressLine) -> bool:
    return any(name.startswith(VALIDATION_PREFIX) for name in progress.figures)


def _supersedes(old: ProgressLine | None, new: ProgressLine) -> bool:
    """An epoch's last line repeats the training figures and may add validation's; `evaluate` prints others."""
    if old is None or not old.figures or (old.of is None and old.at is not None):
        return True
    if _has_validation(new) != _has_validation(old):
        return _has_validation(new)
    return all(name in new.figures and _agree(value, new.figures[name]) for name, value in old.figures.items())


def _agree(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _announced_samples(text: str) -> list[int]:
    words = text.split()
    if words[:2] == ["Train", "on"] and words[2:4][1:] in (["samples"], ["samples,"]) and words[2].isdigit():
        return [int(words[2])]
    return []
