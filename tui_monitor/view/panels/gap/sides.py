"""Training beside validation: mistakes, class shares and the majority-class baseline, in one table."""

from collections.abc import Sequence

from tui_monitor.run_log.events.explanation import Classes, Explanation
from tui_monitor.units import NATS, p_value, percentage, rounded
from tui_monitor.view.text.rows import Row, Rows, Run, left, plain, right, wrap

_FIELDS = (("training", 10), ("validation", 12), ("in the loss", 13))
_WIDEST = 80
"""Cells of a row: from a name to values further away the eye loses its row."""


def side_rows(explanation: Explanation, width: int, *, most_classes: int | None) -> Rows:
    """Return the table, or nothing when no side was measured.

    Args:
        explanation: what was measured.
        width: cells a row.
        most_classes: classes to list, those whose shares differ most; None for all, with recall and precision.
    """
    width = min(width, _WIDEST)
    body = _mistakes(explanation, width) + _classes(explanation.classes, width, most_classes)
    body += _baseline(explanation, width)
    if not body:
        return ()
    return (_line("", [name for name, _ in _FIELDS], width, "muted"), *body)


def _line(label: str, fields: Sequence[str], width: int, style: str = "") -> Row:
    taken = sum(size for _, size in _FIELDS[: len(fields)])
    if width - taken < 18:
        fields, taken = fields[:2], sum(size for _, size in _FIELDS[:2])
    sizes = [size for _, size in _FIELDS]
    # The last field is kept empty where a row has none, so that columns stay aligned.
    spare = sizes[2] if len(fields) < 3 and width - taken - sizes[2] >= 18 else 0
    name = left(label, width - taken - spare, style or "muted")
    return (name, *(right(text, size, style) for text, size in zip(fields, sizes, strict=False)))


def _mistakes(explanation: Explanation, width: int) -> Rows:
    mistakes = explanation.mistakes
    if mistakes is None:
        return ()
    sides = (mistakes.train, mistakes.validation)
    effects = mistakes.effects
    amounts = (effects.more_mistakes, effects.when_right, effects.when_wrong) if effects else (None, None, None)
    rows = (
        ("wrong answers", [percentage(s.error_rate, 1) for s in sides], amounts[0]),
        ("loss when right", [rounded(s.loss_when_right, 3) for s in sides], amounts[1]),
        ("loss when wrong", [rounded(s.loss_when_wrong, 3) for s in sides], amounts[2]),
    )
    return tuple(_line(name, [*values, NATS.amount(effect)], width) for name, values, effect in rows)


def _classes(classes: Classes | None, width: int, most: int | None) -> Rows:
    if classes is None:
        return ()
    order = list(range(len(classes.labels)))
    hidden = 0
    if most is not None and len(order) > most:
        order.sort(key=lambda i: -abs(classes.train_share[i] - classes.validation_share[i]))
        hidden = len(order) - max(most - 1, 0)
        order = sorted(order[: max(most - 1, 0)])
    rows: list[Row] = []
    for position, i in enumerate(order):
        fields = [percentage(classes.train_share[i], 1), percentage(classes.validation_share[i], 1)]
        if position == 0 and classes.p_value is not None:
            fields.append(p_value(classes.p_value))
        rows.append(_line(f"share of class {plain(classes.labels[i])}", fields, width))
        if most is None:
            rows += _quality(classes, i, width)
    if hidden:
        rows += wrap(f"{hidden} {'more ' if order else ''}classes (g shows their shares)", width, "muted")
    return tuple(rows)


def _quality(classes: Classes, i: int, width: int) -> Rows:
    pairs = (
        ("  recall", classes.train_recall, classes.validation_recall),
        ("  precision", classes.train_precision, classes.validation_precision),
    )
    return tuple(
        _line(name, ["–" if v[i] is None else percentage(v[i] or 0.0, 1) for v in (train, validation)], width)
        for name, train, validation in pairs
        if i < len(train) and i < len(validation)
    )


def _baseline(explanation: Explanation, width: int) -> Rows:
    baseline = explanation.baseline
    if baseline is None:
        return ()
    losses = [rounded(baseline.train_loss, 3), rounded(baseline.validation_loss, 3)]
    accuracies = [percentage(baseline.train_accuracy, 1), percentage(baseline.validation_accuracy, 1)]
    return (
        _line("majority baseline: loss", losses, width),
        _line("majority baseline: accuracy", accuracies, width),
    )


def penalty_row(explanation: Explanation) -> Rows:
    """Return the row on penalties, which both losses hold, or nothing without one."""
    if not explanation.penalty:
        return ()
    text = f"weight penalty in both losses: {rounded(explanation.penalty)}; no cause of the gap"
    return ((Run(text, "muted"),),)
