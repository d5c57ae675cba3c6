"""The script's own output, whole: long lines go on in the next row, and nothing in them is interpreted."""

from tui_monitor.history.snapshot import Snapshot
from tui_monitor.units import count
from tui_monitor.view.text.rows import Rows, wrap, wrap_output


def output_rows(snapshot: Snapshot, width: int, newest: int | None) -> Rows:
    """Return the newest output.

    Args:
        snapshot: holds the newest lines.
        width: cells a row.
        newest: rows at most; None for all that the snapshot holds.
    """
    if not snapshot.output:
        return wrap(_why_empty(snapshot), width, "muted")
    lines = snapshot.output if newest is None else snapshot.output[-newest:] if newest > 0 else ()
    rows = [row for line in lines for row in wrap_output(line, width)]
    return tuple(rows if newest is None else rows[-newest:] if newest > 0 else [])


def _why_empty(snapshot: Snapshot) -> str:
    if not snapshot.run.keeps_output:
        return "The script's output went to its own streams, as under run --headless: it is not in the run."
    return f"The script has {'printed nothing' if snapshot.state.ended else 'not printed anything yet'}."


def output_note(snapshot: Snapshot) -> str:
    """Return how many lines there are, for the pane's title row."""
    if not snapshot.output_lines:
        return ""
    if snapshot.playback is not None and not snapshot.playback.output_is_timed:
        return f"all {count(snapshot.output_lines)} lines: their times are not recorded"
    shown = len(snapshot.output)
    if shown < snapshot.output_lines:
        return f"newest {count(shown)} of {count(snapshot.output_lines)} lines"
    return f"{count(shown)} lines"
