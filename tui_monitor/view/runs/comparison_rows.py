"""A comparison of two runs as rows: the answer first, then what it rests on."""

from collections.abc import Iterator, Sequence

from tui_monitor.compare.changes import Change, ScriptDifference
from tui_monitor.compare.comparison import Comparison
from tui_monitor.compare.ledgers import LedgerDifference
from tui_monitor.compare.outcome import ClassOutcome, Outcome
from tui_monitor.compare.paired import Difference
from tui_monitor.units import NATS, POINTS, AmountUnit, count, percentage, rounded
from tui_monitor.view.text.bars import signed_bar
from tui_monitor.view.text.rows import BLANK, Row, Rows, Run, end_of, left, plain, right, wrap, wrap_output

_LABEL = 8
_BAR = 13
_CAUSE, _CELLS, _SIDES = 24, 47, 19
"""Cells of a cause's name, of the amounts beside it, and of those in the two runs among these."""
_AMOUNT = 52
"""Cells of a difference with its interval and what it means, at most."""
_MOST_CLASSES = 12
_MOST_DIFF = 60
"""Lines of the scripts' difference that are shown."""


def comparison_rows(comparison: Comparison, width: int) -> Rows:
    """Return all of a comparison in rows of at most `width` cells."""
    blocks = [
        _answer(comparison, width),
        _changes(comparison, width),
        _outcome(comparison, width),
        _ledger("Loss gap, training minus validation", comparison.loss, NATS, width),
        _ledger("Accuracy gap, training minus validation", comparison.accuracy, POINTS, width),
        _script(comparison.script, width),
    ]
    rows: list[Row] = []
    for block in blocks:
        if block:
            rows += [*([BLANK] if rows else []), *block]
    return tuple(rows)


def _answer(comparison: Comparison, width: int) -> Rows:
    rows: list[Row] = []
    for label, text in (("Verdict", comparison.verdict), ("Why", comparison.why), ("Next", comparison.next_step)):
        lines = wrap(text, width - _LABEL)
        for index, line in enumerate(lines):
            rows.append((left("" if index else label, _LABEL, "headline"), *line))
    return tuple(rows)


def _title(text: str) -> Row:
    return (Run(text, "headline"),)


def _sides(comparison: Comparison, width: int) -> tuple[int, int]:
    """Return the cells of the column of names and of each run's."""
    name = max(19, min(28, width // 3))
    return name, (width - name - 2) // 2


def _changes(comparison: Comparison, width: int) -> Rows:
    name, side = _sides(comparison, width)
    first, second = (end_of(plain(each), side) for each in (comparison.first, comparison.second))
    rows: list[Row] = [(left("What was different", name, "headline"), *_two(first, second, side, "strong"))]
    epochs = ["–" if epoch is None else str(epoch) for epoch in comparison.epochs]
    rows.append((left("compared at epoch", name, "muted"), *_two(epochs[0], epochs[1], side, "muted")))
    for change in comparison.changes:
        rows += _change(change, name, side)
    if not comparison.changes:
        rows.append((Run("Nothing that is recorded.", "muted"),))
    return tuple(rows)


def _two(first: str, second: str, side: int, style: str) -> tuple[Run, ...]:
    return Run(" ", ""), left(first, side, style), Run(" ", ""), left(second, side, style)


def _change(change: Change, name: int, side: int) -> Iterator[Row]:
    """Yield the rows of one difference, its longer side broken over several."""
    first, second = (wrap_output(text or "–", side) for text in (change.first, change.second))
    for index in range(max(len(first), len(second))):
        one, other = (
            "".join(run.text for run in (rows[index] if index < len(rows) else ())) for rows in (first, second)
        )
        yield left("" if index else plain(change.name), name), *_two(one, other, side, "")


def _line(rows: Rows, index: int) -> str:
    return "".join(run.text for run in rows[index]) if index < len(rows) else ""


def _outcome(comparison: Comparison, width: int) -> Rows:
    name, side = _sides(comparison, width)
    found = comparison.outcome
    rows: list[Row] = [_title("What came of it")]
    for label, difference, unit in (
        ("validation loss", found.loss, NATS),
        ("validation accuracy", found.accuracy, POINTS),
    ):
        if difference is not None:
            values = (rounded(difference.first), rounded(difference.second))
            rows.append((left(label, name), *_two(*values, side, "")))
            rows.append((left("", min(name, width - _AMOUNT)), Run(" ", ""), *_difference(difference, unit)))
    if found.mended is not None and found.broken is not None:
        text = f"{count(found.mended)} mistakes mended, {count(found.broken)} new ones"
        rows.append((left("samples", name), Run(f" {text}", "")))
    rows += wrap(found.matching, width, "muted")
    return (*rows, *_classes(found, width))


def _difference(difference: Difference, unit: AmountUnit) -> Iterator[Run]:
    yield Run(unit.amount_with_unit(difference.value), "strong")
    interval = unit.interval(difference.low, difference.high)
    if interval:
        yield Run(f"  {interval}  ", "")
        near = "not settled" if difference.excludes_zero else "within chance"
        yield Run("more than chance" if difference.is_worth_naming else near, "muted")


def _classes(found: Outcome, width: int) -> Rows:
    if not found.classes:
        return ()
    shown = sorted(found.classes, key=lambda each: (not each.is_worth_naming, -abs(each.mended - each.broken)))
    label = max(10, min(24, width - 48))
    head = ("class", "samples", "recall", "", "mended", "broken")
    rows: list[Row] = [BLANK, _class_row(head, label, "muted")]
    rows += [_class_row(_class_cells(each), label, _class_style(each)) for each in shown[:_MOST_CLASSES]]
    if len(shown) > _MOST_CLASSES:
        rows.append((Run(f"{len(shown) - _MOST_CLASSES} more classes moved less.", "muted"),))
    return tuple(rows)


def _class_cells(each: ClassOutcome) -> tuple[str, ...]:
    recalls = f"{percentage(each.first, 1)} →", percentage(each.second, 1)
    return plain(each.label), count(each.samples), *recalls, str(each.mended), str(each.broken)


def _class_style(each: ClassOutcome) -> str:
    return "strong" if each.is_worth_naming else ""


def _class_row(cells: Sequence[str], label: int, style: str) -> Row:
    widths = (8, 11, 8, 8, 8)
    return (
        left(cells[0], label, style),
        *(right(cell, size, style) for cell, size in zip(cells[1:], widths, strict=True)),
    )


def _ledger(title: str, difference: LedgerDifference | None, unit: AmountUnit, width: int) -> Rows:
    if difference is None:
        return ()
    epochs = f"epochs {difference.epochs[0]} and {difference.epochs[1]}"
    gap = f"{unit.amount(difference.first)} → {unit.amount(difference.second)}{unit.suffix}, {epochs}"
    largest = max((abs(term.value) for term in difference.terms), default=0.0)
    bar_width = _BAR if width >= _CAUSE + _CELLS + _BAR else 0
    has_sides = width >= _CAUSE + _CELLS
    label = max(12, min(_CAUSE + 8, width - (_CELLS if has_sides else _CELLS - _SIDES) - bar_width))
    rows: list[Row] = [*wrap(f"{title}: {gap}", width, "headline")]
    for term in difference.terms:
        style = "strong" if term.is_worth_naming else "muted"
        bar = signed_bar(term.value, largest, bar_width) if bar_width else ()
        sides = (right(unit.amount(term.first), 9), Run(" →", "muted"), right(unit.amount(term.second), 8))
        amount = right(unit.amount(term.value), 9, style)
        interval = left(f" {unit.interval(term.low, term.high)}", 19, "muted")
        rows.append((left(term.cause.label, label, style), *bar, *(sides if has_sides else ()), amount, interval))
    return tuple(rows)


def _script(script: ScriptDifference, width: int) -> Rows:
    if not script.is_known:
        return wrap("What their scripts say can't be compared: not both runs kept theirs.", width, "muted")
    if not script.lines:
        return wrap("Their scripts, and the modules beside them that they import, are the same.", width, "muted")
    rows: list[Row] = [_title("Difference of their scripts")]
    for line in script.lines[:_MOST_DIFF]:
        rows += wrap_output(line, width, "" if line.startswith(("+", "-")) else "muted")
    if len(script.lines) > _MOST_DIFF:
        rows.append((Run(f"{count(len(script.lines) - _MOST_DIFF)} more lines: compare --json has all.", "muted"),))
    return tuple(rows)
