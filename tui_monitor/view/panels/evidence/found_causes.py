"""Two causes that show in no sample: batch norm's statistics that lag, and what was learned by heart since epoch 1."""

from collections.abc import Sequence

from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Cause
from tui_monitor.run_log.events.opened import BatchNormLag, FreshTest
from tui_monitor.units import count, percentage, rounded
from tui_monitor.view.text.rows import Row, Rows, left, right, wrap

_FIELD = 14


def batch_norm_rows(lag: BatchNormLag, explanation: Explanation, width: int) -> Rows:
    """Return validation as reported beside what it would be with batch norm's statistics of now.

    Args:
        lag: what was measured.
        explanation: of the same epoch.
        width: cells a row.
    """
    if lag.val_loss is None or not _is_named(explanation, (Cause.TRAIN_MODE_LAYERS,)):
        return ()
    said = (
        f"Validation with batch norm's moving statistics, and with statistics of now (estimated from {lag.batches} "
        "training batches at the epoch's weights):"
    )
    rows: list[Row] = [*wrap(said, width, "headline"), _line("", ("moving", "of now"), width, "muted")]
    rows.append(_line("val_loss", (rounded(explanation.reported.get("val_loss")), rounded(lag.val_loss)), width))
    accuracy = explanation.reported.get("val_accuracy")
    if accuracy is not None and lag.val_accuracy is not None:
        rows.append(_line("val_accuracy", (percentage(accuracy, 1), percentage(lag.val_accuracy, 1)), width))
    return tuple(rows)


def fresh_rows(fresh: FreshTest, explanation: Explanation, width: int) -> Rows:
    """Return both sides' losses before training's samples were trained on, and as reported now.

    Args:
        fresh: the test in epoch 1.
        explanation: of the newest epoch that was measured.
        width: cells a row.
    """
    if not _is_named(explanation, (Cause.UNFAMILIAR, Cause.MEMORISED)):
        return ()
    said = (
        f"Loss of {count(fresh.train_samples)} training samples before they were trained on, beside validation's, "
        "and what was reported since:"
    )
    loss, other = explanation.reported.get("loss"), explanation.reported.get("val_loss")
    return (
        *wrap(said, width, "headline"),
        _line("after", ("training", "validation"), width, "muted"),
        _line(
            f"{count(fresh.batches_before)} batches", (rounded(fresh.train_loss), rounded(fresh.validation_loss)), width
        ),
        _line(f"{count(explanation.epoch)} epochs", (rounded(loss), rounded(other)), width),
    )


def _is_named(explanation: Explanation, causes: Sequence[Cause]) -> bool:
    """Whether one of some causes is more than negligible in a ledger."""
    ledgers = [ledger for ledger in (explanation.loss, explanation.accuracy) if ledger is not None]
    return any(term.cause in causes and term.verdict.is_named for ledger in ledgers for term in ledger.terms)


def _line(name: str, fields: Sequence[str], width: int, style: str = "") -> Row:
    label = max(1, min(30, width - len(fields) * _FIELD))
    return (left(name, label, "muted"), *(right(field, _FIELD, style) for field in fields))
