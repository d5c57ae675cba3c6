"""Class shares of both sides on one scale, with the tests that tell a difference from chance."""

from dataclasses import dataclass

from tui_monitor.explain.evidence.class_shares import same_share_probability
from tui_monitor.run_log.events.explanation import Classes, Explanation, Labels
from tui_monitor.units import POINTS, count, p_value, percentage
from tui_monitor.view.panels.evidence.dots import LEGEND, dots
from tui_monitor.view.text.rows import BLANK, Row, Rows, Run, cell_len, left, plain, right, wrap

_SHARE, _DIFFERENCE, _P_VALUE = 9, 9, 10
_SMALLEST_SCALE = 8
_DIFFERENT = 0.05


def shares_rows(explanation: Explanation, classes: Classes, width: int) -> Rows:
    """Return the test of all shares in a sentence, and a row for each class, the clearest difference first.

    Args:
        explanation: what was measured.
        classes: its classes.
        width: cells a row.
    """
    held = explanation.distributions
    totals = (held.train_samples if held else 0, held.validation_samples or 0 if held else 0)
    return _rows(_Shown(classes, totals, "class", _sentence(classes, totals)), width)


def label_shares_rows(labels: Labels, width: int) -> Rows:
    """Return the same for samples that may have several labels, each of which has its own share.

    Args:
        labels: what was measured.
        width: cells a row.
    """
    totals = labels.train_samples, labels.validation_samples
    return _rows(_Shown(labels.each, totals, "label", _sentence_on_labels(labels, totals)), width)


def _sentence_on_labels(labels: Labels, totals: tuple[int, int]) -> str:
    sizes = f"{count(totals[0])} training and {count(totals[1])} validation samples"
    p = labels.each.p_value
    if p is None:
        return f"Whether labels are as frequent on both sides ({sizes} measured) can't be tested."
    said = (
        "are as frequent on both sides within chance" if p > _DIFFERENT else "differ in frequency by more than chance"
    )
    return f"Labels {said} ({sizes} measured; {p_value(p)}, the smallest of all labels, Bonferroni)."


@dataclass(frozen=True)
class _Shown:
    """What is drawn."""

    classes: Classes
    totals: tuple[int, int]
    name: str
    """What an entry is called."""
    sentence: str


def _rows(shown: _Shown, width: int) -> Rows:
    classes, totals = shown.classes, shown.totals
    tests = [
        same_share_probability(t, totals[0], v, totals[1])
        for t, v in zip(classes.train_share, classes.validation_share, strict=True)
    ]
    order = sorted(range(len(classes.labels)), key=lambda i: (1.0 if tests[i] is None else tests[i], i))
    rows: list[Row] = [*wrap(shown.sentence, width, "headline"), BLANK]
    label = min(20, max(6, *(cell_len(plain(name)) + 1 for name in classes.labels)))
    scale = width - label - 2 * _SHARE - _DIFFERENCE - _P_VALUE - 1
    scale = scale if scale >= _SMALLEST_SCALE else 0
    largest = max((*classes.train_share, *classes.validation_share), default=0.0) or 1.0
    rows.append(_header(shown.name, label, scale, largest))
    rows += [_row(classes, i, tests[i], label, scale, largest) for i in order]
    if scale:
        rows += [BLANK, LEGEND]
    rows += [BLANK, *wrap(_NOTE, width, "muted")]
    return tuple(rows)


_NOTE = "p: how often a random split would part one share this far. With many of them a few are small by chance."


def _sentence(classes: Classes, totals: tuple[int, int]) -> str:
    sizes = f" of {count(totals[0])} training and {count(totals[1])} validation samples" if all(totals) else ""
    p = classes.p_value
    if p is None:
        return f"Whether the class shares{sizes} are equal can't be tested."
    said = p_value(p)
    if p > _DIFFERENT:
        return f"The class shares{sizes} are equal within chance ({said}, Pearson's chi-squared test)."
    return f"The class shares{sizes} differ by more than chance ({said}, Pearson's chi-squared test)."


def _header(name: str, label: int, scale: int, largest: float) -> Row:
    end = percentage(largest)
    ends = (left("0 %", scale - cell_len(end), "muted"), Run(end, "muted"), Run(" ", "")) if scale else ()
    return (
        left(name, label, "muted"),
        *ends,
        right("training", _SHARE, "muted"),
        right("valid.", _SHARE, "muted"),
        right("points", _DIFFERENCE, "muted"),
        right("p", _P_VALUE, "muted"),
    )


def _row(classes: Classes, i: int, p: float | None, label: int, scale: int, largest: float) -> Row:
    train, validation = classes.train_share[i], classes.validation_share[i]
    marks = (*dots(train / largest, validation / largest, scale), Run(" ", "")) if scale else ()
    tested = "–" if p is None else p_value(p, named=False)
    style = "strong" if p is not None and p < _DIFFERENT else ""
    return (
        left(plain(classes.labels[i]), label),
        *marks,
        right(percentage(train, 1), _SHARE),
        right(percentage(validation, 1), _SHARE),
        right(POINTS.amount(train - validation), _DIFFERENCE, style),
        right(tested, _P_VALUE, style),
    )
