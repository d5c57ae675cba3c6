"""The answer: why, both ledgers, both sides, and what was measured to say so; as much of it as there is room for."""

from dataclasses import dataclass

from tui_monitor.explain.words.causes import meaning
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.events.explanation import Cost, Explanation, Finding
from tui_monitor.run_log.events.ledger import Ledger
from tui_monitor.units import NATS, POINTS, AmountUnit, count, duration, percentage
from tui_monitor.view.panels.gap.ledger import ledger_rows, top_rows
from tui_monitor.view.panels.gap.sides import penalty_row, side_rows
from tui_monitor.view.panels.timeline import alerts_of
from tui_monitor.view.text.rows import BLANK, Row, Rows, Run, cell_len, heading, joined, left, plain, wrap

_TITLES = ("Why training and validation differ", "Why they differ")
_MOST_WANTED = 3
"""Causes of a ledger for which a narrow panel gives up a sentence."""
_LABEL = 8
"""Cells of the column that says Verdict, Why, Next."""


@dataclass(frozen=True)
class _Plan:
    """How much to show."""

    most_classes: int | None
    """Classes to list, or None for all, with recall and precision."""
    is_whole: bool = False
    """Whether terms that come to nothing get rows of their own."""
    is_spaced: bool = False
    has_findings: bool = False
    has_next: bool = True


_PLANS = (
    _Plan(None, is_whole=True, is_spaced=True, has_findings=True),
    _Plan(4, is_spaced=True, has_findings=True),
    _Plan(4, is_spaced=True),
    _Plan(4),
    _Plan(2),
    _Plan(2, has_next=False),
    _Plan(0, has_next=False),
)
"""From everything to the least that still has every section; the first that fits is shown."""


def gap_rows(explanation: Explanation, width: int, height: int | None) -> Rows:
    """Return the panel.

    Args:
        explanation: what was measured.
        width: cells a row.
        height: rows at most; None gives everything, to be scrolled.
    """
    if height is None:
        return _composed(explanation, width, _PLANS[0])
    for plan in _PLANS:
        rows = _composed(explanation, width, plan)
        if len(rows) <= height:
            return rows
    return _squeezed(explanation, width, height)


def described_gap_rows(explanation: Explanation, described: Rows, width: int, height: int) -> Rows:
    """Return the panel with what the run shows at its end, where that leaves everything else its room.

    Args:
        explanation: what was measured.
        described: rows from `description_rows`, or none.
        width: cells a row.
        height: rows at most.
    """
    rows = gap_rows(explanation, width, height)
    if described and len(rows) + 1 + len(described) <= height:
        return (*rows, BLANK, *described)
    return rows


def description_rows(description: str, width: int) -> Rows:
    """Return what the run is about, such as what a demo has planted; nothing for a run without a description."""
    return _labelled("About", plain(description), width, "muted")


def alert_rows(snapshot: Snapshot, fit: int | None, width: int) -> Rows:
    """Return a fit's newest alert, with how many it has where that is not the only one; nothing without one."""
    alerts = alerts_of(snapshot, fit)
    if not alerts:
        return ()
    newest = alerts[-1]
    when = f"Epoch {newest.epoch}: " if newest.epoch else ""
    more = f" ({count(len(alerts))} alerts in all: i)" if len(alerts) > 1 else ""
    return _labelled("! Alert", f"{when}{newest.text}{more}", width, "caution")


def panel_heading(explanation: Explanation, width: int, age: str = "", output: int = 0) -> Row:
    """Return the panel's title row, which says what moment it explains and how old it is.

    Args:
        explanation: what was measured.
        width: cells a row.
        age: from `age_of`; empty leaves it out.
        output: of several, from 1; 0 is the whole loss.
    """
    number = output % (len(explanation.outputs) + 1)
    if number:
        name = explanation.outputs[number - 1].name
        titles: tuple[str, ...] = (
            f"Why {name} differs (output {number} of {len(explanation.outputs)})",
            f"Why {name} differs",
        )
    else:
        titles = _TITLES
    moment = f"epoch {explanation.epoch}"
    if explanation.batch is not None:
        moment += f", batch {count(explanation.batch)}"
    measured = "measured" if explanation.evidence == "probe" else "from logged values alone"
    notes = (f"{moment} · {measured} {age}".rstrip(), f"{moment} · {age or measured}")
    for title, note in ((title, note) for title in titles for note in notes):
        if cell_len(title) + cell_len(note) + 4 <= width:
            return heading(title, note, width)
    return heading(titles[-1], moment, width)


def _labelled(label: str, sentence: str, width: int, style: str = "") -> Rows:
    """Return a sentence beside its label."""
    if not sentence.strip():
        return ()
    first, *further = wrap(sentence, width - _LABEL, style)
    return ((left(label, _LABEL, "muted"), *first), *((left("", _LABEL), *row) for row in further))


def _why(explanation: Explanation, width: int) -> Rows:
    return _labelled("Why", explanation.headline, width, "headline")


def _ledgers(explanation: Explanation, width: int, *, whole: bool) -> list[Rows]:
    named = _named_ledgers(explanation, with_outputs=whole)
    return [ledger_rows(title, ledger, unit, width, whole=whole) for title, ledger, unit in named]


def _named_ledgers(explanation: Explanation, *, with_outputs: bool) -> list[tuple[str, Ledger, AmountUnit]]:
    named = [("Loss gap", explanation.loss, NATS), ("Accuracy gap", explanation.accuracy, POINTS)]
    for output in explanation.outputs if with_outputs else ():
        of_output = (("Loss gap", output.loss, NATS), ("Accuracy gap", output.accuracy, POINTS))
        named += [(f"{title} of {output.name}", ledger, unit) for title, ledger, unit in of_output]
    return [(title, ledger, unit) for title, ledger, unit in named if ledger is not None]


def _measured(explanation: Explanation, width: int) -> Rows:
    if explanation.evidence != "probe":
        # A limit says already that nothing was measured, and why.
        return () if explanation.limits else wrap("From logged values alone: nothing was measured.", width, "muted")
    train, validation = (explanation.samples.get(side) for side in ("train", "validation"))
    items = []
    if train is not None and validation is not None:
        items.append(f"measured on {count(train)} training and {count(validation)} validation {explanation.unit}s")
    moment = f"epoch {explanation.epoch}"
    items.append(moment if explanation.batch is None else f"{moment} (batch {count(explanation.batch)})")
    if explanation.cost is not None:
        cost = explanation.cost
        items.append(f"measuring took {_seconds(cost.seconds)}{_share(cost)}")
        items += [cost.limit] if cost.limit else []
    return joined(items, width, "muted")


def _share(cost: Cost) -> str:
    """Return which part of training that was; nothing within the seconds that a short fit may take beside its share."""
    return "" if cost.seconds <= cost.seconds_beside else f", {percentage(cost.share_of_training, 1)} of training"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def _caveats(explanation: Explanation, width: int) -> Rows:
    return tuple(row for text in explanation.limits for row in wrap(text, width, "caution"))


def _composed(explanation: Explanation, width: int, plan: _Plan) -> Rows:
    sections = [
        (
            *_labelled("Verdict", explanation.verdict, width),
            *_why(explanation, width),
            *(_labelled("Next", explanation.next_step, width) if plan.has_next else ()),
        ),
        *_ledgers(explanation, width, whole=plan.is_whole),
        _caveats(explanation, width),
        side_rows(explanation, width, most_classes=plan.most_classes) + penalty_row(explanation),
        _findings(explanation, width) if plan.has_findings else (),
        _measured(explanation, width),
    ]
    return _stacked(sections, spaced=plan.is_spaced)


def _stacked(sections: list[Rows], *, spaced: bool) -> Rows:
    rows: list[Row] = []
    for section in sections:
        if rows and section and spaced:
            rows.append(BLANK)
        rows += section
    return tuple(rows)


def _squeezed(explanation: Explanation, width: int, height: int) -> Rows:
    """Return the answer and the causes that matter; then what else there is room for."""
    verdict = _labelled("Verdict", explanation.verdict, width)
    next_step = _labelled("Next", explanation.next_step, width)
    answers = [(verdict, next_step), (verdict, ()), ((), next_step), ((), ())]
    why, wanted = _why(explanation, width), sum(_wanted(explanation))
    before, behind = next((both for both in answers if len(why) + sum(map(len, both)) + wanted <= height), answers[-1])
    head = (*before, *why, *behind)
    room = height - len(head)
    extras: list[Rows] = []
    for rows in (_caveats(explanation, width), _measured(explanation, width)):
        if len(rows) <= room - wanted:
            extras.append(rows)
            room -= len(rows)
    return _stacked([head, *_tops(explanation, width, room), *extras], spaced=False)[:height]


def _wanted(explanation: Explanation) -> list[int]:
    """Return the rows that each ledger's title and the causes take that its sentences name."""
    return [_rows_wanted(ledger) for _, ledger, _ in _named_ledgers(explanation, with_outputs=False)]


def _rows_wanted(ledger: Ledger) -> int:
    matter = sum(term.effect is not None and term.verdict.is_named for term in ledger.terms)
    return 1 + min(max(matter, 1), _MOST_WANTED)


def _tops(explanation: Explanation, width: int, room: int) -> list[Rows]:
    """Return the largest terms of each ledger; where not all of them fit, the loss' are served first."""
    named = _named_ledgers(explanation, with_outputs=False)
    tops: list[Rows] = []
    for index, (title, ledger, unit) in enumerate(named):
        left_over = room - sum(map(len, tops))
        kept = sum(_rows_wanted(other) for _, other, _ in named[index + 1 :])
        share_of_room = max(left_over - kept, left_over * 3 // 5) if kept else left_over
        if share_of_room >= 1:
            tops.append(top_rows(title, ledger, unit, width, share_of_room))
    return tops


def _findings(explanation: Explanation, width: int) -> Rows:
    rows: list[Row] = []
    for finding in explanation.findings:
        rows += _finding(finding, width)
    return ((Run("Findings", "strong"),), *rows) if rows else ()


def _finding(finding: Finding, width: int) -> Rows:
    said = wrap(f"• {finding.sentence}", width, indent="  ")
    said += wrap(f"  {meaning(finding.cause)}", width, "muted", indent="  ") if meaning(finding.cause) else ()
    if not finding.advice:
        return said
    advised = wrap(f"  → {finding.advice}", width, "muted", indent="    ")
    code = (row for line in finding.code.splitlines() for row in wrap(f"      {line}", width, indent="      "))
    return (*said, *advised, *code)
