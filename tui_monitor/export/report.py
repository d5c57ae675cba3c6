"""A run in one file that explains itself: values, charts and the explanation, as Markdown or HTML."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from tui_monitor import units
from tui_monitor.charts.chart import draw_chart
from tui_monitor.charts.spec import ChartSpec
from tui_monitor.charts.vector import chart_svg
from tui_monitor.explain.words.text import explanation_text
from tui_monitor.export.run_charts import report_charts
from tui_monitor.history.load import load
from tui_monitor.history.snapshot import EpochRow, Snapshot
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.view.explanations import newest_answer

_MOST_EPOCHS = 50
_FIRST = ("loss", "val_loss", "accuracy", "val_accuracy")
_CHART_CELLS = (88, 18)
_MARKDOWN_SPECIAL = frozenset("\\`*_{}[]<>#|~&")
_LOOK = (
    "body{font:15px/1.5 ui-sans-serif,system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}td,th{padding:.15rem .7rem;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}"
    "pre{font-size:13px;overflow-x:auto;background:#f6f6f6;padding:1rem}"
)


@dataclass(frozen=True)
class Report:
    """What a report says."""

    snapshot: Snapshot
    explanation: Explanation | None
    """Of the newest fit's last explained epoch."""
    charts: tuple[ChartSpec, ...] = ()


def run_report(folder: Path, *, as_markdown: bool) -> str:
    """Return a run as one self-contained Markdown or HTML file.

    Raises:
        MonitorError: the run can't be read.
    """
    snapshot = load(folder)
    charts = report_charts(snapshot.fit, _CHART_CELLS[0] if as_markdown else None)
    report = Report(snapshot, newest_answer(snapshot, snapshot.fit).explanation, charts)
    return report_markdown(report) if as_markdown else report_html(report)


def report_html(report: Report) -> str:
    """Return the report as one HTML page: charts inside it, no scripts, nothing loaded from elsewhere."""
    snapshot = report.snapshot
    body = [
        f"<h1>{_html(snapshot.run.name)}</h1>",
        *(f"<p>{_html(sentence)}</p>" for sentence in _facts(snapshot)),
        *_answer_html(report.explanation),
        *(f"<figure>{chart_svg(chart)}</figure>" for chart in report.charts),
        *_table_html(*_epoch_table(snapshot)),
        *_list_html("Timeline", _timeline(snapshot)),
    ]
    if report.explanation is not None:
        body += ["<h2>The explanation, whole</h2>", f"<pre>{_html(explanation_text(report.explanation))}</pre>"]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{_html(snapshot.run.name)}</title>'
        f"<style>{_LOOK}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def report_markdown(report: Report) -> str:
    """Return the report as Markdown; its charts are drawn in characters."""
    snapshot, explanation = report.snapshot, report.explanation
    blocks = [f"# {_markdown(snapshot.run.name)}", *map(_markdown, _facts(snapshot))]
    if explanation is not None:
        blocks += [f"**{_markdown(explanation.verdict)}**", _markdown(explanation.headline)]
        blocks += [f"Next: {_markdown(explanation.next_step)}"] if explanation.next_step else []
    blocks += [_code(draw_chart(chart, *_CHART_CELLS).text) for chart in report.charts]
    head, rows = _epoch_table(snapshot)
    if rows:
        lines = [list(map(_markdown, head)), ["---:"] * len(head), *rows]
        blocks += ["## Epochs", "\n".join("| " + " | ".join(line) + " |" for line in lines)]
    timeline = _timeline(snapshot)
    if timeline:
        blocks += ["## Timeline", "\n".join(f"- {_markdown(entry)}" for entry in timeline)]
    if explanation is not None:
        blocks += ["## The explanation, whole", _code(explanation_text(explanation))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _facts(snapshot: Snapshot) -> list[str]:
    run, damage = snapshot.run, snapshot.damage
    facts = [run.description] if run.description else []
    begun = f"{datetime.fromtimestamp(run.created, UTC):%Y-%m-%d %H:%M} UTC" if run.created > 0 else ""
    state = f"{snapshot.state.value.capitalize()}" + (f": {snapshot.detail}" if snapshot.detail else "")
    where = f" on {run.host}" if run.host else ""
    ran = f" after {units.duration(snapshot.seconds)}" if snapshot.seconds else ""
    facts.append(f"{state}{ran}{where}{f', begun {begun}' if begun else ''}.")
    fit = snapshot.fit
    if fit is not None:
        batches = f", {units.count(fit.batches)} batches" if fit.batches else ""
        facts.append(f"{units.count(len(fit.epochs))} epochs ended{batches}.")
    skipped = damage.events_skipped + damage.batches_skipped
    if damage:
        facts.append(
            f"Damaged: {units.count(skipped)} records skipped, {units.count(damage.batches_lost)} batch records lost, "
            f"{units.count(damage.torn_bytes)} bytes torn off."
        )
    if snapshot.unknown_events:
        left_out = units.count(snapshot.unknown_events)
        facts.append(f"Events of a newer version, which this one can't read and leaves out: {left_out}.")
    return facts


def _answer_html(explanation: Explanation | None) -> Iterable[str]:
    if explanation is None:
        yield "<p>No explanation: nothing was measured, and no epoch holds training and validation metrics.</p>"
        return
    yield f"<p><strong>{_html(explanation.verdict)}</strong></p><p>{_html(explanation.headline)}</p>"
    if explanation.next_step:
        yield f"<p>Next: {_html(explanation.next_step)}</p>"


def _epoch_table(snapshot: Snapshot) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows of the newest fit's epochs, the newest of many."""
    epochs: Sequence[EpochRow] = snapshot.fit.epochs if snapshot.fit is not None else ()
    shown = epochs[-_MOST_EPOCHS:]
    found = list(dict.fromkeys(name for row in shown for name in row.metrics))
    names = [name for name in _FIRST if name in found] + [name for name in found if name not in _FIRST]
    rows = [
        [str(row.epoch), *(units.rounded(row.metrics[name]) if name in row.metrics else "–" for name in names)]
        for row in shown
    ]
    return ["epoch", *names], rows


def _table_html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    if rows:
        yield "<h2>Epochs</h2><table><tr>" + "".join(f"<th>{_html(name)}</th>" for name in head) + "</tr>"
        for row in rows:
            yield "<tr>" + "".join(f"<td>{_html(cell)}</td>" for cell in row) + "</tr>"
        yield "</table>"


def _timeline(snapshot: Snapshot) -> list[str]:
    return [f"{units.duration(entry.seconds)}, {entry.kind}: {entry.text}" for entry in snapshot.timeline]


def _list_html(title: str, entries: Sequence[str]) -> Iterable[str]:
    if entries:
        yield f"<h2>{title}</h2><ul>" + "".join(f"<li>{_html(entry)}</li>" for entry in entries) + "</ul>"


def _html(text: str) -> str:
    return escape(_plain(text))


def _plain(text: str) -> str:
    """Return text without the characters that control a terminal or that XML and HTML have no place for."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def _markdown(text: str) -> str:
    """Return text from outside as Markdown that shows just that text."""
    return "".join(f"\\{c}" if c in _MARKDOWN_SPECIAL else c for c in _plain(text).replace("\n", " "))


def _code(text: str) -> str:
    """Return text in a fence that nothing in it can close."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{_plain(text)}\n{fence}"
