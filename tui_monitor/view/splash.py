"""What is known of a run before it is read: the ends of its files tell its state and its newest epoch."""

from datetime import UTC, datetime

from tui_monitor.run_log.runs.folders import printable
from tui_monitor.run_log.runs.summary import RunSummary
from tui_monitor.units import count, rounded
from tui_monitor.view.text.rows import BLANK, Row, Rows, Run, left, plain, wrap_output

_MARGIN, _LABEL = 1, 14


def splash_rows(opened: RunSummary, width: int, height: int) -> Rows:
    """Return exactly `height` rows: the run's name, what is going on, and its summary."""
    rows: list[Row] = [
        (Run(" OPENING ", "state-starting"), Run(f" {plain(opened.name)}", "strong")),
        (Run(" reading the run …", "muted"),),
        BLANK,
    ]
    for label, value in _facts(opened):
        indent = Run(" " * _MARGIN, "")
        first, *rest = wrap_output(value, max(1, width - _MARGIN - _LABEL))
        rows.append((indent, left(label, _LABEL, "muted"), *first))
        rows += [(indent, Run(" " * _LABEL, ""), *row) for row in rest]
    return tuple([*rows, *[BLANK] * height][:height])


def _facts(opened: RunSummary) -> list[tuple[str, str]]:
    """Return what is known, each with its name."""
    facts = [("folder", printable(str(opened.folder)))]
    if opened.created:
        begun = datetime.fromtimestamp(opened.created, UTC).astimezone()
        facts = [
            ("state", f"{opened.state}: {opened.detail}" if opened.detail else str(opened.state)),
            ("started", f"{begun:%Y-%m-%d %H:%M}" + (f" on {plain(opened.host)}" if opened.host else "")),
            *facts,
        ]
    if opened.description:
        facts.append(("shows", opened.description))
    if opened.epoch:
        planned = f" of {count(opened.epochs)}" if opened.epochs else ""
        facts.append(("epoch", f"{count(opened.epoch)}{planned}"))
    return facts + [(plain(name), rounded(value)) for name, value in opened.metrics.items()]
