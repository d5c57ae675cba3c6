"""How each side's loss is spread over its samples: who is right, who is wrong, and what the worst of them cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui_monitor.run_log.events.distributions import Losses, LossSpread
from tui_monitor.units import count, percentage, rounded
from tui_monitor.view.text.rows import BLANK, Row, Rows, Run, cell_len, left, right, wrap

_LABEL = 14
_SHARE = 8
_GAP = 2
_MASS = 8
_FIELDS = (("training", 12), ("validation", 12))
_QUANTILES = (
    ("mean loss", "mean"),
    ("half stay below", "median"),
    ("90 % stay below", "high"),
    ("99 % stay below", "extreme"),
    ("largest", "largest"),
)
_SMALLEST_BAR = 4
_LARGEST_BAR = 40
_RIGHT, _WRONG = "█", "▒"
_KEY = f"{_RIGHT} right {_WRONG} wrong"


@dataclass(frozen=True)
class _Bin:
    label: str
    sides: tuple["_Filled | None", ...]


@dataclass(frozen=True)
class _Filled:
    right: float
    """Share of the side's samples; all of them where nothing is right or wrong."""
    wrong: float
    mass: float
    """Share of the side's loss."""


def losses_rows(losses: Losses, width: int, height: int) -> Rows:
    """Return what the tail holds in a sentence, each side's quantiles, and the histogram of both.

    Args:
        losses: what was measured.
        width: cells a row.
        height: rows; bins are joined where that lets the whole chart fit.
    """
    start: list[Row] = [*wrap(_sentence(losses), width, "headline"), *_not_finite(losses, width)]
    start += [*_quantiles(losses, width), BLANK]
    room = height - len(start) - 2
    for joined in (1, 2, 4):
        bins = _bins(losses, joined)
        if len(bins) <= room or joined == 4:
            return (*start, *_histogram(bins, losses, width))
    return tuple(start)


def _sentence(losses: Losses) -> str:
    validation = losses.validation
    if validation is None:
        return f"The worst 1 % of training samples hold {percentage(losses.train.worst_share)} of the training loss."
    heavy = [
        name
        for name, side in (("training", losses.train), ("validation", validation))
        if side.worst_share >= 0.1 and side.extreme > 10 * max(side.median, 1e-300)
    ]
    tail = f" The tail is heavy on {' and '.join(heavy)}." if heavy else ""
    return (
        f"The worst 1 % of samples hold {percentage(losses.train.worst_share)} of the loss on training, "
        f"{percentage(validation.worst_share)} on validation.{tail}"
    )


def _not_finite(losses: Losses, width: int) -> Rows:
    sides = [("training", losses.train), ("validation", losses.validation)]
    said = [f"{count(side.not_finite)} {name}" for name, side in sides if side is not None and side.not_finite]
    return wrap(f"Loss is NaN or infinite on {' and '.join(said)} samples.", width, "alert") if said else ()


def _quantiles(losses: Losses, width: int) -> Rows:
    sides = (losses.train, losses.validation)
    label = max(16, min(30, width - sum(size for _, size in _FIELDS)))

    def line(name: str, values: Sequence[str], style: str = "") -> Row:
        """Return one row of the table."""
        fields = (right(value, size, style) for value, (_, size) in zip(values, _FIELDS, strict=True))
        return (left(name, label, "muted"), *fields)

    def told(field: str) -> list[str]:
        """Return a value of both sides, in words."""
        return ["–" if side is None else rounded(getattr(side, field), 3) for side in sides]

    return (
        line("", [name for name, _ in _FIELDS], "strong"),
        *(line(name, told(field)) for name, field in _QUANTILES),
    )


def _bins(losses: Losses, joined: int) -> list[_Bin]:
    """Return the bins that hold samples and those between them, `joined` neighbours made one."""
    edges = losses.edges
    sides = (losses.train, losses.validation)
    # The first and the last bin are open; between them, decades are kept whole where bins are joined.
    starts = [0, *range(1, len(edges), joined), len(edges)]
    bins = []
    for position, start in enumerate(starts):
        stop = starts[position + 1] if position + 1 < len(starts) else len(edges) + 1
        low = edges[start - 1] if start else None
        high = edges[stop - 1] if stop <= len(edges) else None
        bins.append(_Bin(_range(low, high), tuple(_filled(side, start, stop) for side in sides)))
    held = [i for i, entry in enumerate(bins) if any(s and (s.right or s.wrong) for s in entry.sides)]
    return bins[held[0] : held[-1] + 1] if held else []


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"< {_short(high or 0.0)}"
    return f"≥ {_short(low)}" if high is None else f"{_short(low)}–{_short(high)}"


def _short(value: float) -> str:
    return f"{value:.2g}" if 1e-3 <= value < 1e4 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")


def _filled(side: LossSpread | None, start: int, stop: int) -> _Filled | None:
    if side is None:
        return None
    every, mass = sum(side.all[start:stop]), sum(side.mass[start:stop])
    if side.right is None or side.wrong is None:
        return _Filled(every, 0.0, mass)
    return _Filled(sum(side.right[start:stop]), sum(side.wrong[start:stop]), mass)


def _histogram(bins: Sequence[_Bin], losses: Losses, width: int) -> Rows:
    bar = min(_LARGEST_BAR, (width - _LABEL - _GAP) // 2 - _SHARE - _MASS)
    bar = bar if bar >= _SMALLEST_BAR else 0
    largest = max((s.right + s.wrong for entry in bins for s in entry.sides if s), default=0.0)
    answers = losses.train.right is not None
    rows: list[Row] = [_title(bar, answers), _names(bar)]
    for entry in bins:
        runs: list[Run] = [left(entry.label, _LABEL, "muted")]
        train, validation = (_side(filled, bar, largest) for filled in entry.sides)
        runs += [*train, Run(" " * _GAP, ""), *validation]
        rows.append(tuple(runs))
    if answers and bar and not rows[0][2].text:
        rows.append((left("", _LABEL), Run(_KEY, "muted")))
    return tuple(rows)


def _title(bar: int, answers: bool) -> Row:
    size = bar + _SHARE + _MASS
    beside = _KEY if answers and bar and cell_len(_KEY) + 12 <= size else ""
    return (
        left("loss", _LABEL, "muted"),
        left("training", size - cell_len(beside), "strong"),
        Run(beside, "muted"),
        Run(" " * _GAP, ""),
        left("validation", size, "strong"),
    )


def _names(bar: int) -> Row:
    side = (left("", bar), right("samples", _SHARE, "muted"), right("of loss", _MASS, "muted"))
    return (left("", _LABEL), *side, Run(" " * _GAP, ""), *side)


def _side(filled: _Filled | None, bar: int, largest: float) -> tuple[Run, ...]:
    if filled is None:
        return left("", bar), right("–", _SHARE, "muted"), right("–", _MASS, "muted")
    every = filled.right + filled.wrong
    cells = round(every / largest * bar) if largest > 0 else 0
    wrong = round(filled.wrong / every * cells) if every > 0 else 0
    return (
        Run(_RIGHT * (cells - wrong), "bar"),
        Run(_WRONG * wrong, "validation"),
        Run(" " * (bar - cells), ""),
        right(_percent(every), _SHARE, "" if every else "muted"),
        right(_percent(filled.mass), _MASS, "" if filled.mass >= 0.00005 else "muted"),
    )


def _percent(fraction: float) -> str:
    if fraction <= 0:
        return "·"
    return "<0.1 %" if fraction < 0.0005 else percentage(fraction, 1)
