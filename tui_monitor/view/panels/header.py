"""The two rows at the top: what the run is doing in a word, and how far it has come.

Words and numbers that change many times in an epoch keep their width while a run is live: otherwise all that stands
beside them moves, and is sent to the terminal again.
"""

from tui_monitor.history.snapshot import FitSnapshot, Snapshot
from tui_monitor.metric_names import VALIDATION_PREFIX
from tui_monitor.run_log.format.layout import State
from tui_monitor.units import count, duration, rate
from tui_monitor.view.fit_names import fit_name
from tui_monitor.view.panels.resource_usage import usage_words
from tui_monitor.view.panels.timeline import alerts_under_way, newest_entry, whole_forms
from tui_monitor.view.panels.workers import header_note
from tui_monitor.view.text.bars import progress_bar
from tui_monitor.view.text.rows import Row, Rows, Run, cell_len, plain, spread, width_of
from tui_monitor.view.view_state import ViewState

_WIDEST_BAR, _NARROWEST_BAR = 40, 5
_ROOM_FOR_NAMES = 100
"""Cells a row from which it says what tells the fit from others."""
_ROOM_FOR_SYSTEM = 100
"""Cells a row from which it says what the training uses."""
_WIDEST_LIVE_STATE = max(len(state.value) for state in State if not state.ended)
_WIDEST_DURATION, _WIDEST_RATE = len("59 min 59 s"), len("999 batches/s")


def header_rows(snapshot: Snapshot, view: ViewState, width: int) -> Rows:
    """Return the state row and the progress row."""
    return _state_row(snapshot, view, width), _progress_row(snapshot, view, width)


def _state_row(snapshot: Snapshot, view: ViewState, width: int) -> Row:
    start: Row = (_badge(snapshot.state), Run(f" {plain(snapshot.run.name)}", "strong"))
    if snapshot.missing:
        start = (*start, Run(" · the run folder is gone", "alert"))
    if snapshot.state is State.FAILED and snapshot.exit_code is not None:
        start = (*start, Run(f" · exit code {snapshot.exit_code}", "alert"))
    workers, lost = header_note(snapshot)
    if lost:
        start = (*start, Run(f" · {lost}", "alert"))
    if workers:
        start = (*start, Run(f" · {workers}", "muted"))
    if len(snapshot.fits) > 1:
        shown = view.fit_index(snapshot)
        # The word beside the state may say why the run failed: it comes before what the fit is.
        is_named = not (view.pending or snapshot.detail) and width >= _ROOM_FOR_NAMES
        name = fit_name(snapshot.fits, shown) if is_named else f"fit {shown} of {len(snapshot.fits)}"
        start = (*start, Run(f" · {_whole_words(plain(name), width // 3)}", "muted"))
        start = (*start, Run(" · joined", "muted")) if _is_joined(snapshot, view) else start
    alerts = alerts_under_way(snapshot)
    if alerts:
        start = (*start, Run(f" · ! {alerts} alert{'s' if alerts > 1 else ''} (i)", "alert"))
    facts = _facts(snapshot)
    system = "" if snapshot.state.ended or view.pending else usage_words(snapshot.system)
    used = [f"{system} · {facts}"] if system and width >= _ROOM_FOR_SYSTEM else []
    ends = [*used, facts, _elapsed(snapshot)]
    for end in ends:
        room = width - width_of(start) - cell_len(end) - 4
        if room >= 0:
            beside = _words(f" · {plain(view.pending)}", room) if view.pending else _said(snapshot, room)
            if beside:
                start = (*start, Run(beside, "caution" if view.pending else "muted"))
            return spread(start, (Run(end, "muted"),), width)
    return start


def _badge(state: State) -> Run:
    width = 0 if state.ended else _WIDEST_LIVE_STATE
    return Run(f" {state.value.upper():^{width}} ", f"state-{state.value}")


def _is_joined(snapshot: Snapshot, view: ViewState) -> bool:
    return view.joins and view.fit_of(snapshot) is not snapshot.fits[view.fit_index(snapshot) - 1]


def _said(snapshot: Snapshot, room: int) -> str:
    """Return what stands beside the state, never half a sentence; an ended run shows no requests and changes any more.

    The detail of a failure alone is cut between words: its beginning says most, and the output has it whole.
    """
    if snapshot.detail:
        return _words(f" · {plain(snapshot.detail)}", room)
    happened = () if snapshot.state.ended else newest_entry(snapshot)
    forms = (f" · {plain(form)}" for form in happened or whole_forms(snapshot.run.description) if form)
    return next((form for form in forms if cell_len(form) <= room), "")


def _whole_words(text: str, room: int) -> str:
    """Return as many whole words as fit, the first one in any case."""
    first, *further = text.split(" ")
    return first + _words("".join(f" {word}" for word in further), room - cell_len(first))


def _words(text: str, room: int) -> str:
    """Return as many whole words as fit."""
    if cell_len(text) <= room:
        return text
    kept = ""
    for word in text.split(" ")[1:]:
        if cell_len(kept) + cell_len(word) + 2 > room:
            return f"{kept} …" if kept else ""
        kept += f" {word}"
    return kept


def _elapsed(snapshot: Snapshot) -> str:
    return f"{duration(snapshot.seconds)} "


def _facts(snapshot: Snapshot) -> str:
    damage = snapshot.damage
    facts = []
    if damage.events_skipped or damage.batches_skipped or damage.torn_bytes:
        facts.append(
            f"{count(damage.events_skipped + damage.batches_skipped + bool(damage.torn_bytes))} damaged records skipped"
        )
    if damage.batches_lost:
        facts.append(f"{count(damage.batches_lost)} batch records lost")
    if snapshot.run.host:
        facts.append(plain(snapshot.run.host))
    facts.append(f"{'ran' if snapshot.state.ended else 'running'} {duration(snapshot.seconds)} ")
    return " · ".join(facts)


def _progress_row(snapshot: Snapshot, view: ViewState, width: int) -> Row:
    fit = view.fit_of(snapshot)
    if fit is None:
        return (Run(" no epoch has begun yet", "muted"),)
    epoch = _epoch_label(fit)
    steps, done = fit.steps_per_epoch, _batches_done(snapshot, fit)
    batch = _batches_words(done, steps)
    part = done / steps if steps and done is not None else None
    fraction = run_fraction(fit)
    left, pace = ("", "") if snapshot.state.ended else _left_and_pace(snapshot)
    # Beside the pace of batches, the time left would not be what that gives: validation is part of it.
    told = f"{left} with validation" if left and _is_validated(fit) else left
    for batches, ending in (
        (batch, (told, pace)),
        (batch.removesuffix(" batches"), (told, pace)),
        ("", (told, pace)),
        (batch.removesuffix(" batches"), (told or pace,)),
        ("", (told or pace,)),
        ("", (left or pace,)),
        ("", ()),
    ):
        row = _assembled(epoch, batches, part, fraction, "   ".join(filter(None, ending)), width=width)
        if row is not None:
            return row
    return (Run(f" {epoch}", ""),)


def _left_and_pace(snapshot: Snapshot) -> tuple[str, str]:
    seconds, batches = snapshot.seconds_left, snapshot.batches_per_second
    left = "" if seconds is None else f"{duration(seconds):>{_WIDEST_DURATION}} left"
    return left, "" if batches is None else f"{rate(batches):>{_WIDEST_RATE}}"


def _batches_words(done: int | None, steps: int | None) -> str:
    if done is None:
        return ""
    if not steps:
        return f"{count(done)} batches"
    planned = count(steps)
    return f"{count(done):>{len(planned)}}/{planned} batches"


def _is_validated(fit: FitSnapshot) -> bool:
    return bool(fit.epochs) and any(name.startswith(VALIDATION_PREFIX) for name in fit.epochs[-1].metrics)


def _batches_done(snapshot: Snapshot, fit: FitSnapshot) -> int | None:
    """Return the batches done in the epoch under way; None where no batch is recorded, as in most logs."""
    if fit.batches or not (fit.epochs or snapshot.is_log):
        return fit.batch
    has_ended = bool(fit.epochs) and fit.epochs[-1].epoch >= fit.epoch
    return fit.steps_per_epoch if has_ended else None


def _assembled(
    epoch: str, batches: str, part: float | None, fraction: float | None, ending: str, *, width: int
) -> Row | None:
    """Return the row with bars as wide as the rest leaves room for, or None if that is too narrow.

    Args:
        epoch: the label of the epoch under way.
        batches: how many of its batches are done, in words, or nothing.
        part: how much of it is done, from 0 to 1, or None without a plan.
        fraction: the same of the whole run.
        ending: what stands at the right.
        width: cells of the row.
    """
    percent = "" if fraction is None else f" {fraction * 100:.0f} %"
    bars = (part is not None) + (fraction is not None)
    fixed = [f" {epoch} ", f" {batches}   " if batches else "  ", "run " if percent else "", f"{percent}   "]
    room = width - sum(cell_len(part) for part in fixed) - cell_len(ending) - 2
    each = min(_WIDEST_BAR, room // bars) if bars else 0
    if room < 0 or (bars and each < _NARROWEST_BAR):
        return None
    row: list[Run] = [Run(fixed[0], "strong")]
    if part is not None:
        row += progress_bar(part, each)
    row.append(Run(fixed[1], "muted"))
    if fraction is not None:
        row += [Run(fixed[2], "strong"), *progress_bar(fraction, each), Run(fixed[3], "muted")]
    return spread(tuple(row), (Run(f"{ending} ", ""),) if ending else (), width)


def _epoch_label(fit: FitSnapshot) -> str:
    planned = fit.info.epochs
    return f"epoch {fit.epoch}/{planned}" if planned else f"epoch {fit.epoch}"


def run_fraction(fit: FitSnapshot) -> float | None:
    """Return how much of the planned epochs is done, from 0 to 1, or None without a plan."""
    planned = fit.info.epochs
    if planned is None or planned <= fit.info.initial_epoch:
        return None
    if fit.epochs and fit.epochs[-1].epoch >= fit.epoch:
        done = float(fit.epochs[-1].epoch)
    else:
        part = fit.batch / max(fit.steps_per_epoch or 0, fit.batch, 1)
        done = max(0.0, fit.epoch - 1.0) + (part if fit.steps_per_epoch else 0.0)
    return min(1.0, max(0.0, (done - fit.info.initial_epoch) / (planned - fit.info.initial_epoch)))
