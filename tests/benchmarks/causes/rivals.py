"""What else answers the question, asked about the same runs: two packages from PyPI, and two rules people repeat."""

import importlib.util
from collections.abc import Callable, Mapping

from tests.benchmarks.causes.scoring import Scored
from tui_monitor.run_log.events.ledger import Cause

Answer = Callable[[Scored], list[str]]
"""Causes of the loss gap that a tool names for a run, in its own order; empty where it finds nothing."""

OTHER = "another cause"
"""An answer that is none of the ledger's causes, such as a learning rate."""
_MEANING = {
    "Data leakage": Cause.WITHIN_CLASS,
    "Classic overfitting": Cause.WITHIN_CLASS,
    "Label noise floor": Cause.WITHIN_CLASS,
    "TP-OVERFIT": Cause.WITHIN_CLASS,
}
"""What their findings are called here; the ledger counts leakage, overfitting and label noise within classes."""


def rivals() -> Mapping[str, Answer]:
    """Return those that are installed (`pip install tui-monitor[rivals]`), and the rules."""
    found: dict[str, Answer] = {}
    if importlib.util.find_spec("sk_autod"):
        found["sk-autod"] = _sk_autod
    if importlib.util.find_spec("trainproof"):
        found["trainproof"] = _trainproof
    return {**found, "“always dropout”": _always_dropout, "Keras FAQ’s rule": _keras_faq}


def _sk_autod(run: Scored) -> list[str]:
    from sk_autod import diagnose

    history = run.stored.history
    report = diagnose(history["loss"], history["val_loss"])
    return [_MEANING.get(finding.detector_name, OTHER) for finding in report.findings]


def _trainproof(run: Scored) -> list[str]:
    from trainproof.epoch import check_records

    history = run.stored.history
    losses = zip(history["loss"], history["val_loss"], strict=True)
    records = [{"step": step, "loss": loss, "eval_loss": other} for step, (loss, other) in enumerate(losses, start=1)]
    findings = check_records(records)["findings"]
    return [_MEANING.get(finding["id"], OTHER) for finding in findings if finding["level"] in ("WARN", "FAIL")]


def _always_dropout(run: Scored) -> list[str]:
    return [Cause.TRAIN_MODE_LAYERS]


def _keras_faq(run: Scored) -> list[str]:
    """Training loss above validation loss: regularisation that acts in training alone, then the epoch's average."""
    if run.gap("loss") <= 0:
        return []
    recipe = run.plan.recipe
    in_training_alone = recipe.dropout or recipe.noise or recipe.batch_norm_momentum is not None
    causes = [Cause.TRAIN_MODE_LAYERS, Cause.IN_EPOCH_AVERAGING]
    return [*(causes if in_training_alone else causes[1:])]
