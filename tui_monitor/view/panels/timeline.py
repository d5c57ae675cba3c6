"""What happened besides batches and epochs: alerts, notes, requests and states, the newest last."""

from tui_monitor.history.snapshot import Snapshot, TimelineEntry
from tui_monitor.units import count, duration
from tui_monitor.view.text.rows import Row, Rows, Run, left, right, wrap

_KINDS = {
    "alert": ("!", "alert", "alert"),
    "note": ("◆", "note", "strong"),
    "control": ("→", "request", ""),
    "status": ("•", "state", "muted"),
    "change": ("↑", "change", "caution"),
}
"""Event kind to its marker, its word and its style."""
_TIME, _EPOCH, _KIND = 13, 6, 10
_FIT_AND_EPOCH = 10
"""Cells of `12:345`, a fit and its epoch."""


def timeline_rows(snapshot: Snapshot, width: int) -> Rows:
    """Return the timeline: run time, epoch, kind and text of each entry; the fit before the epoch where there are more.

    Args:
        snapshot: holds the newest entries.
        width: cells a row.
    """
    if not snapshot.timeline:
        return wrap("Nothing has happened yet. n adds a note.", width, "muted")
    tells_fit = len(snapshot.fits) > 1
    return tuple(row for entry in snapshot.timeline for row in _entry_rows(entry, width, tells_fit=tells_fit))


def _entry_rows(entry: TimelineEntry, width: int, *, tells_fit: bool) -> Rows:
    mark, word, style = _KINDS.get(entry.kind, ("•", entry.kind, ""))
    epoch = "" if entry.epoch is None else str(entry.epoch)
    if tells_fit and entry.fit is not None and entry.kind != "status":
        epoch = f"{entry.fit}:{epoch}" if epoch else f"fit {entry.fit}"
    width_of_epoch = _FIT_AND_EPOCH if tells_fit else _EPOCH
    start: Row = (
        left(duration(entry.seconds), _TIME, "muted"),
        right(epoch, width_of_epoch - 2, "muted"),
        left("", 2),
        left(f"{mark} {word}", _KIND, style),
    )
    lines = wrap(entry.text, width - _TIME - width_of_epoch - _KIND, style if entry.kind != "control" else "")
    first, *further = lines or ((Run("", ""),),)
    return ((*start, *first), *((left("", _TIME + width_of_epoch + _KIND), *line) for line in further))


def alerts_of(snapshot: Snapshot, fit: int | None = None) -> tuple[TimelineEntry, ...]:
    """Return the alerts of a run, ended ones too, the newest last.

    Args:
        snapshot: of the run.
        fit: whose alerts alone, and those of no fit; None for all.
    """
    alerts = (entry for entry in snapshot.timeline if entry.kind == "alert")
    return tuple(entry for entry in alerts if fit is None or entry.fit in (None, fit))


def alerts_under_way(snapshot: Snapshot) -> int:
    """Return how many alerts still hold."""
    return sum(not entry.is_over for entry in alerts_of(snapshot))


def timeline_note(snapshot: Snapshot) -> str:
    """Return how many entries there are, for the title row."""
    return f"{count(len(snapshot.timeline))} entries" if snapshot.timeline else ""


def newest_entry(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the newest entry in words for the header, longest form first; nothing when only states were entered."""
    for entry in reversed(snapshot.timeline):
        if entry.kind != "status":
            _, word, _ = _KINDS.get(entry.kind, ("", entry.kind, ""))
            is_named = word in ("alert", "note", "change")
            forms = [f"{word}: {form}" if is_named else form for form in whole_forms(entry.text)]
            return (*forms, f"{'new main cause' if word == 'change' else f'new {word}'} (i)")
    return ()


def whole_forms(text: str) -> tuple[str, ...]:
    """Return a text and what of it makes sense alone, longest first: its first sentence, then its first clause."""
    ends = [text.find(mark) for mark in (". ", "; ", ": ", " (")]
    return (text, *(text[:end] for end in sorted({end for end in ends if end > 0}, reverse=True)))
