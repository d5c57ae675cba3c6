"""What runs over the order of samples: validation's loss over its samples, training's classes over its batches."""

import numpy as np

from tui_monitor.charts.chart import GUTTER, data_area, draw_chart
from tui_monitor.charts.markers import MarkerSet
from tui_monitor.charts.scale import ticks
from tui_monitor.charts.spec import ChartSpec, Points
from tui_monitor.charts.y_axis import linear_axis
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.opened import SampleOrder
from tui_monitor.units import percentage
from tui_monitor.view.text.bars import level_strip
from tui_monitor.view.text.rows import BLANK, Row, Rows, Run, left, plain, right, wrap

_HEIGHT = 10
_LABEL, _SHARE = 10, 14
_ORDERED, _UNSHUFFLED = "validation_drifts", "not_shuffled"
"""Findings that say what the rows show."""


def order_rows(order: SampleOrder, explanation: Explanation, width: int, markers: MarkerSet) -> Rows:
    """Return a chart of validation's loss over its order, and where classes are known a strip for each of training's.

    Args:
        order: what was measured.
        explanation: whose findings say whether it is more than chance.
        width: cells a row.
        markers: characters to draw curves with.
    """
    raised = {finding.cause for finding in explanation.findings}
    said = (
        "Loss drifts over validation's order"
        if _ORDERED in raised
        else "No drift over validation's order beyond chance"
    )
    rows: list[Row] = [
        *wrap(
            f"{said}: each point is the mean of {order.samples // max(len(order.loss), 1)} samples, class for class.",
            width,
            "headline",
        )
    ]
    rows += draw_chart(_spec(order, width, markers), width, _HEIGHT).rows
    if order.classes:
        rows += [BLANK, *_classes(order, width, is_unshuffled=_UNSHUFFLED in raised)]
    return tuple(rows)


def _spec(order: SampleOrder, width: int, markers: MarkerSet) -> ChartSpec:
    parts = len(order.loss)
    x = (np.arange(parts) + 0.5) * order.samples / parts
    loss, error = np.array(order.loss), np.array(order.error)
    x_range = (0.0, float(order.samples))
    axis = linear_axis((float((loss - error).min()), float((loss + error).max())), data_area(width, _HEIGHT, None)[1])
    return ChartSpec(
        title=" validation loss by place in its order",
        x_range=x_range,
        y_range=axis.limits,
        x_ticks=ticks(x_range, max(2, (width - GUTTER) // 10)),
        y_ticks=axis.ticks,
        y_on_rows=axis.on_rows,
        x_label="sample",
        train=Points(),
        validation=Points(x, loss),
        markers=markers,
    )


def _classes(order: SampleOrder, width: int, *, is_unshuffled: bool) -> Rows:
    said = "Training is not shuffled: its" if is_unshuffled else "Training's"
    rows: list[Row] = [*wrap(f"{said} classes over the batches of the epoch, in their order:", width, "headline")]
    most = max(max(shares) for shares in order.train_shares)
    strip = width - _LABEL - _SHARE
    for name, shares in zip(order.classes, order.train_shares, strict=True):
        ends = f"{percentage(min(shares))}–{percentage(max(shares))}"
        cells = level_strip(shares, strip, most)
        rows.append((left(f"class {plain(name)}", _LABEL), Run(cells, "train-mark"), right(ends, _SHARE, "muted")))
    return tuple(rows)
