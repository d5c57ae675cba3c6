"""The ledger as signed bars: a row for each cause, bars to the right of zero where training's value is the higher."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui_monitor.run_log.events.ledger import CHANCE, NEGLIGIBLE, Ledger, Term, Verdict, unmeasured
from tui_monitor.units import AmountUnit
from tui_monitor.view.text.bars import signed_bar
from tui_monitor.view.text.rows import Row, Rows, Run, cell_len, left, right, spread, wrap

_WITH_INTERVAL = 60
"""Narrowest ledger that shows intervals."""
_NARROW_LABEL = 23
_VERDICT = max(map(len, (NEGLIGIBLE, CHANCE, *(verdict.word for verdict in Verdict))))
_EFFECT, _INTERVAL = 6, 16
"""Cells of the usual effect and interval: the same in all ledgers, so that their bars line up."""
_SMALLEST_BAR, _LARGEST_BAR = 7, 41
_SIGN = "train − valid"
"""What a gap is: said beside it wherever there is room."""
_WIDEST_TITLE = 96
"""Cells of a title row: what stands at its right end stays near the amounts that it is about."""


@dataclass(frozen=True)
class _Layout:
    label: int
    bar: int
    """0 when bars are left out."""
    effect: int
    interval: int
    """0 when intervals are left out."""


def ledger_rows(title: str, ledger: Ledger, unit: AmountUnit, width: int, *, whole: bool = False) -> Rows:
    """Return a ledger's title row and all its terms.

    Args:
        title: name of the gap.
        ledger: what to show.
        unit: how amounts are written.
        width: cells a row.
        whole: whether terms that come to nothing get rows of their own instead of sharing one.
    """
    if all(term.effect is None for term in ledger.terms):
        return _verdict_rows(title, ledger, unit, width)
    terms = _measured(ledger)
    nothing = [] if whole else [term for term in terms if _is_nothing(term, unit)]
    if len(nothing) < 2:
        nothing = []
    layout = _layout(terms, [ledger.label(term.cause) for term in terms], unit, width)
    rows: list[Row] = [_title_row(title, ledger, unit, min(width, _WIDEST_TITLE), _SIGN)]
    for term in terms:
        if term not in nothing:
            rows += _term_rows(term, ledger.label(term.cause), unit, layout, _largest(terms))
            rows += _part_rows(term, unit, layout) if whole else ()
    if nothing:
        names = "; ".join(ledger.label(term.cause) for term in nothing)
        rows += wrap(f"No effect: {names}", width, "muted", indent="  ")
    if whole:
        rows += _without_amount(ledger, width)
    return tuple(rows)


def _measured(ledger: Ledger) -> tuple[Term, ...]:
    """Return the terms that have an amount."""
    return tuple(term for term in ledger.terms if term.effect is not None)


def _without_amount(ledger: Ledger, width: int) -> Rows:
    """Return rows on the terms that have no amount, those of one reason together."""
    rows: list[Row] = []
    for reason, names in unmeasured(ledger).items():
        rows += wrap(f"{'; '.join(names)}: {reason[0].lower()}{reason[1:]}", width, "muted", indent="  ")
    return tuple(rows)


def _is_nothing(term: Term, unit: AmountUnit) -> bool:
    """Return whether a term is ruled out, and its interval's ends too would be written as zero.

    One that merely rounds to zero has a row: else rows would come and go from epoch to epoch.
    """
    amounts = {unit.amount(value) for value in (term.effect, term.low, term.high) if value is not None}
    return term.verdict is Verdict.RULED_OUT and amounts == {unit.amount(0.0)}


def _verdict_rows(title: str, ledger: Ledger, unit: AmountUnit, width: int, height: int | None = None) -> Rows:
    """Return a ledger without amounts: the causes under what can be said of them, each list whole or not at all."""
    rows: list[Row] = []
    remark = _SIGN
    for verdict in Verdict:
        names = [ledger.label(term.cause) for term in ledger.terms if term.verdict is verdict]
        block = wrap(f"{verdict.word.capitalize()}: {'; '.join(names)}", width, indent="  ") if names else ()
        if height is not None and 1 + len(rows) + len(block) > height:
            remark = "not all causes (g: all)"
            break
        rows += block
    return (_title_row(title, ledger, unit, width, remark), *rows)


def top_rows(title: str, ledger: Ledger, unit: AmountUnit, width: int, height: int) -> Rows:
    """Return a ledger's title row and as many terms as fit, the largest first.

    Args:
        title: name of the gap.
        ledger: what to show.
        unit: how amounts are written.
        width: cells a row.
        height: rows at most, at least 1.
    """
    if all(term.effect is None for term in ledger.terms):
        return _verdict_rows(title, ledger, unit, width, height)
    terms = _measured(ledger)
    layout = _layout(terms, [ledger.label(term.cause) for term in terms], unit, width)
    shown_terms = [term for term in terms if not _is_nothing(term, unit)]
    # What is negligible gives way to what is not, however many points it has.
    ranked = sorted(shown_terms, key=lambda term: (term.verdict is Verdict.RULED_OUT, -abs(term.effect or 0.0)))
    rows: list[Row] = []
    shown = 0
    for term in ranked:
        block = _term_rows(term, ledger.label(term.cause), unit, layout, _largest(terms))
        if len(rows) + len(block) > height - 1:
            break
        rows += block
        shown += 1
    counted = f"{shown} of {len(ledger.terms)}"
    long, short = f"{counted} causes (g: all)", f"{counted} (g: all)"
    remarks = (f"{_SIGN} · {long}", f"{_SIGN} · {short}", short) if shown < len(ledger.terms) else (_SIGN,)
    return (_title_row(title, ledger, unit, width, *remarks), *rows)


def _title_row(title: str, ledger: Ledger, unit: AmountUnit, width: int, *remarks: str) -> Row:
    """Return the title with the gap, its interval, and the first remark there is room for, else the last."""
    gap = "unknown" if ledger.gap is None else unit.amount_with_unit(ledger.gap)
    start: Row = (Run(f"{title} {gap}", "strong"),)
    interval = unit.interval(ledger.low, ledger.high)
    if interval:
        start = (*start, Run(f" {interval}", "muted"))
    if ledger.within_noise:
        remarks = (*(f"within chance · {remark}" for remark in remarks), "within chance")
    room = width - sum(cell_len(run.text) for run in start) - 2
    remark = next((remark for remark in remarks if cell_len(remark) <= room), remarks[-1])
    return spread(start, (Run(remark, "muted"),), width)


def _layout(terms: Sequence[Term], labels: Sequence[str], unit: AmountUnit, width: int) -> _Layout:
    effect = max([_EFFECT, *(cell_len(unit.amount(term.effect)) for term in terms)])
    interval = max([_INTERVAL, *(cell_len(unit.interval(term.low, term.high)) for term in terms)])
    fixed = effect + 1 + _VERDICT + 1
    no_interval = all(term.low is None for term in terms)
    if no_interval or width < _WITH_INTERVAL or width - fixed - interval - 1 < _NARROW_LABEL + 1 + _SMALLEST_BAR:
        interval = 0
    rest = width - fixed - (interval + 1 if interval else 0)
    longest = max(map(len, labels), default=_NARROW_LABEL)
    label = longest if rest - longest - 1 >= 2 * _SMALLEST_BAR + 1 else min(longest, _NARROW_LABEL)
    bar = min(_LARGEST_BAR, rest - label - 1)
    bar -= 1 - bar % 2
    return _Layout(label, bar if bar >= _SMALLEST_BAR else 0, effect, interval)


def _largest(terms: Sequence[Term]) -> float:
    return max((abs(term.effect) for term in terms if term.effect is not None), default=0.0)


def _part_rows(term: Term, unit: AmountUnit, layout: _Layout) -> Rows:
    """Return a row for each kind of layer that a term is opened into, with its amount and interval."""
    rows: list[Row] = []
    for part in term.parts:
        row: list[Run] = [left(f"  {part.label}", layout.label, "muted"), Run(" ", "")]
        row += [Run(" " * (layout.bar + 1), "")] if layout.bar else []
        row += [right(unit.amount(part.effect), layout.effect, "muted"), Run(" ", "")]
        row += [right(unit.interval(part.low, part.high), layout.interval, "muted")] if layout.interval else []
        rows.append(tuple(row))
    return tuple(rows)


def _term_rows(term: Term, label: str, unit: AmountUnit, layout: _Layout, largest: float) -> Rows:
    labels = wrap(label, layout.label)
    style = {Verdict.MAIN: "strong", Verdict.RULED_OUT: "muted"}.get(term.verdict, "")
    row: list[Run] = [left(labels[0][0].text, layout.label, style), Run(" ", "")]
    if layout.bar:
        row += [*signed_bar(term.effect, largest, layout.bar), Run(" ", "")]
    row += [right(unit.amount(term.effect), layout.effect, style), Run(" ", "")]
    if layout.interval:
        row += [right(unit.interval(term.low, term.high), layout.interval, "muted"), Run(" ", "")]
    row.append(Run(term.word, f"verdict-{term.verdict.value.replace(' ', '-')}"))
    further: Rows = tuple((Run("  " + more[0].text, style),) for more in labels[1:])
    return (tuple(row), *further)
