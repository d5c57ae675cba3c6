"""What the signs of two gaps exclude: each cause moves loss and accuracy of training one way, or either way."""

from collections.abc import Mapping

from tui_monitor.run_log.events.explanation import Finding
from tui_monitor.run_log.events.ledger import Cause

SIGNS: Mapping[Cause, tuple[str, str]] = {
    Cause.IN_EPOCH_AVERAGING: ("+", "−"),
    Cause.TRAIN_MODE_LAYERS: ("+", "−"),
    Cause.SAMPLE_WEIGHTS: ("±", "0"),
    Cause.BATCH_AVERAGING: ("±", "±"),
    Cause.CLASS_MIX: ("±", "±"),
    Cause.WITHIN_CLASS: ("±", "±"),
}
"""What each cause does to (loss gap, accuracy gap): averaging while the loss falls, dropout of train-mode layers."""

EXCLUDED = "excluded alone"
_DROPOUT = "dropout"
"""Cause of the finding on dropout and noise: batch norm, of the same term, may move either gap either way."""
_NAMES = {
    Cause.IN_EPOCH_AVERAGING: "Running average (while the loss falls)",
    Cause.TRAIN_MODE_LAYERS: "Dropout or noise (batch norm may do otherwise)",
    Cause.SAMPLE_WEIGHTS: "Class or sample weights (where accuracy is not weighted)",
}


def sign_findings(loss_gap: float, accuracy_gap: float, *, is_rising: bool) -> list[Finding]:
    """Return which causes are not the cause of both gaps.

    Args:
        loss_gap: training minus validation.
        accuracy_gap: the same of accuracy.
        is_rising: whether the training loss rises, so that averaging turns both signs round.
    """
    pattern = _sign(loss_gap), _sign(accuracy_gap)
    seen = f"({pattern[0]}, {pattern[1]})"
    findings = []
    for cause, name in _NAMES.items():
        if _fits(cause, pattern) or (cause is Cause.IN_EPOCH_AVERAGING and is_rising):
            continue
        on_loss, on_accuracy = SIGNS[cause]
        findings.append(
            Finding(
                _DROPOUT if cause is Cause.TRAIN_MODE_LAYERS else cause,
                EXCLUDED,
                f"{name}: moves (loss gap, accuracy gap) by ({on_loss}, {on_accuracy}); here they are {seen}: "
                "not the cause of both.",
                "",
            )
        )
    return findings + (_answers_that_do_not_hold(seen) if pattern == ("+", "+") else [])


def fitting(loss_gap: float, accuracy_gap: float, *, is_falling: bool) -> str:
    """Return what fits the signs of both gaps, as a list in words; empty where nothing single does.

    Args:
        loss_gap: training minus validation.
        accuracy_gap: the same of accuracy.
        is_falling: whether the training loss is known to fall, or not known not to.
    """
    better = ["the running average"] if is_falling else []
    return {
        ("+", "−"): ", ".join(
            [*better, "dropout or noise", "easier or leaked validation samples", "other class shares"]
        ),
        ("−", "+"): "overfitting, batch norm whose moving statistics lag, inputs or labels that validation prepares "
        "otherwise, harder validation samples, other class shares",
    }.get((_sign(loss_gap), _sign(accuracy_gap)), "")


def _sign(gap: float) -> str:
    return "+" if gap > 0 else "−"


def _fits(cause: Cause, pattern: tuple[str, str]) -> bool:
    return all(sign in ("±", found) for sign, found in zip(SIGNS[cause], pattern, strict=True))


def _answers_that_do_not_hold(seen: str) -> list[Finding]:
    """Return what usual answers to lower loss beside lower accuracy overlook."""
    return [
        Finding(
            "leakage",
            EXCLUDED,
            f"Leaked or easier validation samples move the gaps by (+, −), not by {seen}.",
            "",
        ),
        Finding(
            Cause.CLASS_MIX,
            EXCLUDED,
            "Other class shares alone do not do it where the minority is the harder class: less of it in validation "
            f"moves the gaps by (+, −), more of it by (−, +); {seen} needs a second cause beside them.",
            "",
        ),
    ]
