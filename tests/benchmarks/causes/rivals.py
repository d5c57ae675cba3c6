"""What else answers the question, asked about the same runs: packages from PyPI, and two rules people repeat."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path

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
    "overfitting": Cause.WITHIN_CLASS,
    "overfit_onset": Cause.WITHIN_CLASS,
}
"""What their findings are called here; the ledger counts leakage, overfitting and label noise within classes."""
_LOSSES = ("loss", "val_loss")
_VALIDATION_BELOW = (Cause.TRAIN_MODE_LAYERS, Cause.IN_EPOCH_AVERAGING, Cause.WITHIN_CLASS)
"""What runmedic takes for likely where validation is consistently better: dropout, the epoch's mean, an easier set."""


def rivals() -> Mapping[str, Answer]:
    """Return those that are installed (`pip install tui-monitor[rivals]`), and the rules."""
    found: dict[str, Answer] = {}
    if importlib.util.find_spec("sk_autod"):
        found["sk-autod"] = _sk_autod
    if importlib.util.find_spec("trainproof"):
        found["trainproof"] = _trainproof
    if importlib.util.find_spec("runmedic"):
        found["runmedic"] = _runmedic
    if importlib.util.find_spec("trainspotter"):
        found["trainspotter"] = _trainspotter
    if importlib.util.find_spec("losslint"):
        found["losslint"] = _losslint
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


def _runmedic(run: Scored) -> list[str]:
    from runmedic.checks import run_checks
    from runmedic.model import Run
    from runmedic.roles import detect

    log = Run("run", "csv", "run.csv")
    for name in _LOSSES:
        for epoch, value in enumerate(run.stored.history[name], start=1):
            log.get(name).add(epoch, value)
    log.finalize()
    findings = run_checks(log, detect(log))
    named = [_VALIDATION_BELOW if found.check == "val_below_train" else (found.check,) for found in findings]
    return [_MEANING.get(name, name if name in _VALIDATION_BELOW else OTHER) for names in named for name in names]


def _trainspotter(run: Scored) -> list[str]:
    from trainspotter import Run, run_all

    log = Run(source_format="csv")
    for name, metric in zip(_LOSSES, ("train/loss", "eval/loss"), strict=True):
        for epoch, value in enumerate(run.stored.history[name], start=1):
            log.add_point(metric, epoch, value)
    log.finalize()
    return [_MEANING.get(finding.detector, OTHER) for finding in run_all(log)]


def _losslint(run: Scored) -> list[str]:
    from losslint.checks import run_all_checks
    from losslint.parsing import RunLog

    losses = {name: list(run.stored.history[name]) for name in _LOSSES}
    epochs = list(range(1, len(losses["loss"]) + 1))
    findings = run_all_checks(RunLog(epochs, losses, Path("run.csv")))
    return [_MEANING.get(finding.check, OTHER) for finding in findings]


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
