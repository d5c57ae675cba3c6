"""Keras' progress text, line by line, becomes records; what is recorded never depends on lines to come.

A line is cleaned, cut into parts, and each part is a header (`Epoch 3/9`), a callback's message (`Epoch 00003: …`), a
bar, the sizes that `fit` announces, or other text. An epoch ends with the next header, or with the log; its values
are those of its last full bar. Bars without a header wait until something tells which epoch they are.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from tui_monitor.importers.logged_names import is_as_keras_spells, keras_name
from tui_monitor.importers.records import EpochBegan, EpochEnded, FitBegan, Record, Remark
from tui_monitor.importers.text.ending import Ending
from tui_monitor.importers.text.places import MESSAGE, Cleaned, begins_plainly, clean, segments
from tui_monitor.importers.text.progress_line import (
    ProgressLine,
    continue_line,
    parse_header,
    parse_progress,
)
from tui_monitor.importers.text.progress_state import ProgressState
from tui_monitor.importers.text.reports import Headless, has_validation, supersedes
from tui_monitor.metric_names import VALIDATION_PREFIX

_GLUED = "text that touches a value was taken off"


class ProgressLog:
    """Reads the text that Keras 1 to 3 print during `fit`, between whatever else a script prints."""

    is_terminal = True

    def __init__(self, saved: Mapping[str, Any] | None = None) -> None:
        """Begin with the first line, or where another one left off.

        Args:
            saved: what `save` returned.
        """
        self._state = msgspec.convert(saved, ProgressState) if saved else ProgressState()

    def save(self) -> dict[str, Any]:
        """Return the state after the last line, as plain JSON types."""
        return asdict(self._state)

    def line(self, text: str) -> Iterator[Record]:
        """Yield what a line completes."""
        state = self._state
        begins_anew = begins_plainly(text)
        is_plain = begins_anew and text[-1].isdigit() and "–" not in text and "—" not in text
        cleaned = Cleaned(text) if is_plain else clean(text)
        if state.pending and not begins_anew:
            # A prefix may be part of a value that was wrapped: first the line as it stands, then without.
            for following in dict.fromkeys((text, cleaned.text)):
                head, *others = segments(following)
                # Digits before another part are that line's own number; those of a wrapped value would touch it.
                is_number = bool(others) and head[-1].isspace() and head.strip().isdigit()
                joined = None if is_number else continue_line(state.pending, head)
                if joined is not None:
                    yield from self._go_on(joined, head)
                    for part in others:
                        yield from self._part(part, text, cleaned.repairs, is_first=False)
                    return
        state.pending = ""
        for number, part in enumerate(segments(cleaned.text)):
            yield from self._part(part, text, cleaned.repairs, is_first=not number)

    def close(self, rest: str) -> Iterator[Record]:
        """Yield what the end of the log completes.

        Args:
            rest: text after the last line's end.
        """
        if rest:
            yield from self.line(rest)
        yield from self._settle_waiting(None)
        names, was_cut = list(self._state.names), False
        for record in self._finish_epoch(is_last=True):
            was_cut |= isinstance(record, Remark)
            lost = [name for name in names if name not in record.logs] if isinstance(record, EpochEnded) else []
            if isinstance(record, EpochEnded) and lost and not was_cut:
                text = f"The log breaks off in epoch {record.epoch}: it has no {', '.join(lost)}."
                yield Remark(text, epoch=record.epoch)
            yield record
        yield from self._state.remarks()
        yield self._state.ended()

    def _go_on(self, joined: str, following: str) -> Iterator[Record]:
        state = self._state
        if state.candidate == state.pending:
            state.candidate = ""
        if state.headless and state.headless[-1].text == state.pending:
            state.headless.pop()
        state.pending = joined
        yield from self._consider(joined)
        state.ending.read(following)

    def _part(self, part: str, line: str, repairs: tuple[str, ...], *, is_first: bool) -> Iterator[Record]:
        state = self._state
        header = parse_header(part) if "Epoch" in part else None
        progress = None if header else parse_progress(part)
        if header is None and progress is not None and not (progress.metrics or progress.has_bar):
            progress = None
        if header is not None or progress is not None:
            for repair in repairs if is_first else ():
                state.repairs[repair] = state.repairs.get(repair, 0) + 1
        if header is not None:
            state.pending = ""
            yield from self._take_header(*header, is_glued=not is_first)
            state.ending = Ending()
            return
        message = MESSAGE.match(part) if "Epoch" in part else None
        if message is not None:
            state.pending = ""
            self._number(int(message["number"]))
        elif progress is not None:
            state.pending = part
            yield from self._consider(part)
        if is_first and (progress is None or progress.rest):
            state.ending.read(line)
        if "Train " in part and state.sizes.read(part):
            state.is_new_fit = True

    def _take_header(self, printed: int, planned: int, *, is_glued: bool) -> Iterator[Record]:
        state = self._state
        if state.waiting is not None:
            yield from self._settle_waiting(None)
        state.message = None
        goes_on = state.epoch > 0 and state.of is not None and 0 < state.at < state.of and not state.candidate
        if printed == 1 and planned == state.planned and goes_on and not self._has_broken_off():
            state.inner, state.inner_is_glued, state.inner_has_bar = (printed, planned), is_glued, False
            return
        if state.headless and not state.epoch and not state.phases and printed > 1:
            held = state.headless[-1]
            if held.is_certain:
                yield from self._announce(printed, planned, before=state.headless.pop())
            else:
                state.waiting = (printed, planned)
            return
        yield from self._announce(printed, planned)

    def _has_broken_off(self) -> bool:
        ending = self._state.ending
        return ending.state is not None or ending.stopped_early or self._state.is_new_fit

    def _settle_waiting(self, progress: ProgressLine | None) -> Iterator[Record]:
        """Record the bar before the first header where the next bar counts as it does, and go on with the header."""
        state = self._state
        if state.waiting is None:
            return
        (printed, planned), state.waiting = state.waiting, None
        held = state.headless.pop()
        before = parse_progress(held.text)
        counts_alike = progress is not None and before is not None and progress.of == before.of
        if not counts_alike:
            state.others += 1
        yield from self._announce(printed, planned, before=held if counts_alike else None)

    def _announce(self, printed: int, planned: int, *, before: Headless | None = None) -> Iterator[Record]:
        """Begin an epoch, after what is known by now of those before it."""
        state = self._state
        is_first = state.phases == 0 or planned != state.planned or state.is_new_fit
        if printed == 0:
            state.offset = 1
        elif is_first and printed == 1:
            state.offset = 0
        number = printed + state.offset
        has_bar = state.candidate or state.of is not None
        if state.epoch == number and not is_first and not has_bar and not state.headless:
            return
        yield from self._finish_epoch(next_epoch=number)
        state.is_new_fit = False
        if is_first or number <= state.last:
            if 1 < number <= state.last and not is_first:
                yield Remark(f"Epoch {number} comes again: the training was set back.", epoch=number)
            yield from self._begin_fit(planned, number - 1 - (before is not None))
            if before is not None:
                yield from self._record_headless(before, number - 1)
        elif number > state.last + 1:
            yield Remark(f"Nothing is logged of epochs {state.last + 1} to {number - 1}.", epoch=number)
        state.epoch = state.last = number
        yield EpochBegan(number)

    def _begin_fit(self, planned: int | None, done: int) -> Iterator[Record]:
        state = self._state
        state.phases += 1
        state.planned, state.last, state.names = planned, done, []
        yield FitBegan(epochs=planned, initial_epoch=done)

    def _number(self, number: int) -> None:
        """A callback's message numbers the bar before it, or the next where none is open."""
        state = self._state
        if state.epoch:
            return
        if state.headless:
            state.headless[-1].number = number
        else:
            state.message = number

    def _consider(self, text: str) -> Iterator[Record]:
        """Take a line of progress for the epoch's report where it is one."""
        state, progress = self._state, parse_progress(text)
        if progress is None:
            return
        if progress.is_glued and progress.is_full:
            state.repairs[_GLUED] = state.repairs.get(_GLUED, 0) + 1
        if state.waiting is not None:
            yield from self._settle_waiting(progress)
        if state.inner is not None and (yield from self._settle_inner(progress)):
            return
        if not state.epoch:
            yield from self._consider_unannounced(text, progress)
            return
        if state.of is None and progress.of is not None and not state.sizes.is_validations(progress):
            state.of = progress.of
        if progress.of == state.of:
            state.at = max(state.at, progress.at or 0)
        if progress.is_full:
            self._take_report(text, progress)

    def _settle_inner(self, progress: ProgressLine) -> Generator[Record, None, bool]:
        """Tell validation's own bar from a training that began again; return whether the bar is done with."""
        state = self._state
        is_other = progress.of != state.of
        if not is_other and self._starts_over(progress):
            inner, state.inner = state.inner, None
            if inner is not None:
                yield from self._announce(*inner)
            return False
        if is_other or (state.inner_is_glued and not has_validation(progress) and progress.is_surely_over):
            state.others += progress.is_full
            state.inner_has_bar |= progress.is_full
            state.inner_is_glued &= is_other
            return True
        state.inner = None
        return False

    def _starts_over(self, progress: ProgressLine) -> bool:
        """Return whether a bar behind a header within an epoch is of a training that began again."""
        state = self._state
        if state.inner_is_glued or state.inner_has_bar:
            return False
        expects_validation = any(name.startswith(VALIDATION_PREFIX) for name in state.names)
        return (progress.at or 0) < state.at or has_validation(progress) or not expects_validation

    def _take_report(self, text: str, progress: ProgressLine) -> None:
        state = self._state
        is_validated = has_validation(progress)
        held = parse_progress(state.candidate) if state.candidate else None
        is_foreign = None not in (progress.of, state.of) and progress.of != state.of
        if is_foreign and held is not None and held.of != state.of_before == progress.of:
            # The first bar of the epoch was another's: this one counts as epochs before did.
            state.of, is_foreign, held = progress.of, False, None
        if (is_foreign or state.sizes.is_validations(progress)) and not is_validated:
            state.others += 1
        elif held is None or supersedes(held, progress):
            state.candidate = text
        elif is_validated and has_validation(held) and progress.of == held.of:
            state.headless.append(Headless(text, is_certain=True))
        else:
            state.others += 1

    def _consider_unannounced(self, text: str, progress: ProgressLine) -> Iterator[Record]:
        """A single epoch has no `Epoch` line in Keras 2.4 and later, and neither has `evaluate`."""
        state = self._state
        held = state.headless[-1] if state.headless else None
        before = parse_progress(held.text) if held else None
        if not progress.is_full:
            if held and before and progress.at is not None and (before.is_surely_over or has_validation(before)):
                yield from self._record_unannounced()
        elif held is not None and supersedes(before, progress):
            held.text, held.is_certain = text, held.number is not None or has_validation(progress)
        elif state.phases and not has_validation(progress):
            state.others += 1
        else:
            yield from self._record_unannounced()
            number, state.message = state.message, None
            state.headless.append(
                Headless(text, number=number, is_certain=number is not None or has_validation(progress))
            )

    def _record_unannounced(self) -> Iterator[Record]:
        """Record bars that nothing announced as trainings of one epoch, or by the numbers of callbacks' messages."""
        state = self._state
        held, state.headless = state.headless, []
        for bar in held:
            progress = parse_progress(bar.text)
            if progress is None or not (progress.is_surely_over or has_validation(progress)):
                continue
            number = bar.number or 1
            if not state.phases or state.planned is not None or number != state.last + 1:
                yield from self._begin_fit(None if bar.number else 1, number - 1)
            state.unannounced += bar.number is None
            yield from self._record_headless(bar, number, is_guessed=bar.number is not None)

    def _record_headless(self, bar: Headless, number: int, *, is_guessed: bool = True) -> Iterator[Record]:
        state = self._state
        progress = parse_progress(bar.text)
        if progress is None:
            return
        if is_guessed:
            state.guessed.append(number)
        state.last = number
        yield EpochBegan(number)
        yield from self._end_epoch(number, bar.text, progress)

    def _finish_epoch(self, *, next_epoch: int | None = None, is_last: bool = False) -> Iterator[Record]:
        state = self._state
        text, state.candidate = state.candidate, ""
        epoch, state.epoch = state.epoch, 0
        state.of, state.at, state.inner = None, 0, None
        progress = parse_progress(text) if text else None
        if epoch and progress is not None and self._is_over(progress, epoch, next_epoch):
            yield from self._end_epoch(epoch, text, progress)
        elif epoch:
            yield Remark(f"Epoch {epoch} does not end in the log.", epoch=epoch)
        if not state.headless:
            return
        if not epoch:
            yield from self._record_unannounced()
            return
        held, state.headless = state.headless, []
        limit = next_epoch if next_epoch is not None and next_epoch > epoch else (state.planned or 0) + 1
        if epoch + len(held) < limit and (is_last or epoch + len(held) + 1 == limit) and not state.others:
            for number, bar in enumerate(held, epoch + 1):
                yield from self._record_headless(bar, number)
        else:
            state.others += len(held)

    def _is_over(self, progress: ProgressLine, epoch: int, next_epoch: int | None) -> bool:
        """Return whether a full bar ends its epoch: one that still says ETA does where the next epoch follows."""
        if progress.is_surely_over or has_validation(progress):
            return True
        goes_on = next_epoch == epoch + 1 or self._state.without_end > 0
        self._state.without_end += goes_on
        return goes_on

    def _end_epoch(self, epoch: int, text: str, progress: ProgressLine) -> Iterator[Record]:
        state = self._state
        metrics = dict(progress.metrics)
        if progress.is_cut:
            if progress.ends_in_value:
                metrics.popitem()
            yield Remark(f"The line of epoch {epoch} breaks off: …{text[-24:]}", epoch=epoch)
        logs = {self._spelt(name, metrics): value for name, value in metrics.items()}
        state.names = list(logs)
        state.epochs += 1
        state.without_figure += progress.without_value
        state.of_before = progress.of
        train, validation = state.sizes.of(progress)
        yield EpochEnded(
            epoch,
            logs,
            seconds=progress.seconds,
            batches=0 if train else state.sizes.batches(progress),
            samples=train,
            validation_samples=validation,
        )

    def _spelt(self, name: str, printed: Mapping[str, float]) -> str:
        """Return a name in Keras' manner, the same all through the log; one that is printed itself is not taken."""
        if is_as_keras_spells(name):
            return name
        spelt = self._state.spelt
        if name not in spelt:
            wanted = keras_name(name)
            spelt[name] = name if wanted in printed or wanted in spelt.values() else wanted
        return spelt[name] if spelt[name] not in printed else name
