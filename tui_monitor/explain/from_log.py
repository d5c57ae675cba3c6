"""What logged values alone prove, exclude and leave open: no probe, so no amount is ever claimed."""

import math
from collections.abc import Mapping, Sequence

from tui_monitor import units
from tui_monitor.explain.log_history import is_regression, leading, loss_trend, suggestions
from tui_monitor.explain.log_signs import SIGNS, fitting, sign_findings
from tui_monitor.explain.recorded_facts import RecordedFit, known
from tui_monitor.explain.words.sentences import beside_training, is_paradox, not_finite
from tui_monitor.metric_names import VALIDATION_PREFIX, is_cross_entropy
from tui_monitor.run_log.events.explanation import Baseline, Explanation, Finding
from tui_monitor.run_log.events.ledger import Cause, Ledger, Term, Verdict

_SAME_LOSS = 0.005
"""Nats within which a loss counts as the majority-class baseline's."""
_SAME_ACCURACY = 0.0025
"""Fraction within which an accuracy counts as the majority-class baseline's."""
_SETTLE = "tui-monitor run train.py"
_SETTLED_BY = f"To settle it, train once under `{_SETTLE}`: it measures each cause while training runs."


def explain_from_log(
    run: str,
    epoch: int,
    metrics: Mapping[str, float],
    class_shares: Sequence[float] | None = None,
    *,
    measured_epoch: int | None = None,
    samples: tuple[int, int] = (0, 0),
    recorded: RecordedFit | None = None,
    before: Sequence[Mapping[str, float]] = (),
) -> Explanation:
    """Return the explanation that one epoch's logged values support.

    Args:
        run: the run's name.
        epoch: from 1.
        metrics: canonical names to values.
        class_shares: of all classes on both sides, adding up to 1, where known.
        measured_epoch: the nearest epoch of the run that was measured, or None where none was.
        samples: those that training's and validation's metrics are means over; 0 where the log does not say.
        recorded: what a run of our own knows besides; None for the log of another tool.
        before: values of the epochs before, oldest first, where known.
    """
    unmeasured, settled_by = _why_unmeasured(run, measured_epoch, recorded)
    loss_name = "" if recorded is None else recorded.loss
    is_log = recorded is None
    reported = {name: _finite(metrics.get(name)) for name in ("loss", "val_loss", "accuracy", "val_accuracy")}
    loss = _ledger(reported["loss"], reported["val_loss"])
    accuracy = _ledger(reported["accuracy"], reported["val_accuracy"])
    baseline = _baseline(class_shares)
    trend, gaps = loss_trend(before, metrics), _both_gaps(loss, accuracy, metrics, loss_name)
    findings = [
        *suggestions(before, metrics, loss_name),
        *([] if is_regression(metrics, loss_name) else _bounds(reported, loss_name)),
        *_against_majority_baseline(reported, baseline, loss_name),
        *([] if recorded is None else known(recorded)),
        *(_by_signs(gaps, recorded, is_rising=trend > 0) if gaps else ()),
        *_unknowns(
            loss,
            accuracy,
            settled_by,
            _by_chance(reported, samples),
            fitting(*gaps, is_falling=trend <= 0) if gaps else "",
            is_log=is_log,
        ),
    ]
    return Explanation(
        run=run,
        epoch=epoch,
        evidence="log",
        reported=reported,
        paradox=is_paradox(reported),
        loss=loss,
        accuracy=accuracy,
        mistakes=None,
        classes=None,
        baseline=baseline,
        penalty=None,
        samples={"train": samples[0] or None, "validation": samples[1] or None},
        cost=None,
        verdict=_verdict(loss, accuracy, metrics),
        headline=_of_pattern(loss, accuracy, metrics, epoch, loss_name)
        or leading(before, metrics, loss_name)
        or _headline(loss, accuracy, unmeasured, is_log=is_log),
        next_step=settled_by if loss or accuracy else "",
        findings=tuple(findings),
    )


def _why_unmeasured(run: str, measured_epoch: int | None, recorded: RecordedFit | None) -> tuple[str, str]:
    """Return why no cause has an amount, as the end of a sentence, and a sentence on what would give it one."""
    if measured_epoch is not None:
        fit = f" --fit {recorded.fit}" if recorded is not None and recorded.fit is not None else ""
        return (
            "this epoch was not measured, as that would have cost more than the budget",
            f"`tui-monitor explain {run}{fit} --epoch {measured_epoch}` shows the nearest epoch that was measured.",
        )
    if recorded is None:
        return "a log holds no samples to measure", _SETTLED_BY
    return recorded.why_unmeasured or "this fit was not measured", recorded.advice


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _ledger(training: float | None, validation: float | None) -> Ledger | None:
    if training is None or validation is None:
        return None
    gap = training - validation
    # Only a measured amount near 0 rules a cause out; what the signs exclude is among the findings.
    terms = tuple(Term(cause, None, None, None, Verdict.CANNOT_TELL) for cause in SIGNS)
    return Ledger(gap=gap, low=None, high=None, within_noise=None, terms=terms)


def _baseline(shares: Sequence[float] | None) -> Baseline | None:
    if not shares:
        return None
    entropy = -sum(share * math.log(share) for share in shares if share > 0)
    return Baseline(entropy, max(shares), entropy, max(shares))


def has_both_sides(metrics: Mapping[str, float]) -> bool:
    """Return whether an epoch's values have a gap to explain: loss or accuracy, finite in training and validation."""
    return any(
        _finite(metrics.get(name)) is not None and _finite(metrics.get(f"val_{name}")) is not None
        for name in ("loss", "accuracy")
    )


def _verdict(loss: Ledger | None, accuracy: Ledger | None, metrics: Mapping[str, float]) -> str:
    clauses = []
    if loss is not None and loss.gap is not None:
        clauses.append(f"loss {beside_training(loss.gap, units.magnitude)}")
    elif accuracy is not None and (bad := not_finite(metrics, "loss")):
        clauses.append(f"loss can't be compared ({bad})")
    if accuracy is not None and accuracy.gap is not None:
        clauses.append(f"accuracy {beside_training(accuracy.gap, units.points)}")
    return f"Validation {', '.join(clauses)}." if clauses else _why_no_gap(metrics)


def _why_no_gap(metrics: Mapping[str, float]) -> str:
    """Return what is missing where neither loss nor accuracy has two sides."""
    bad = ", ".join(filter(None, (not_finite(metrics, name) for name in ("loss", "accuracy"))))
    if bad:
        return f"There is no gap to explain: {bad}."
    validation = [name for name in metrics if name.startswith("val_")]
    pairs = [name for name in metrics if f"val_{name}" in metrics]
    if pairs:
        shown = ", ".join(f"{name} {metrics[name]:.4g} against {metrics[f'val_{name}']:.4g}" for name in pairs[:3])
        return f"Neither loss nor accuracy was logged on both sides, so no gap is explained. On both sides: {shown}."
    others = [name for name in metrics if name not in validation and not name.startswith("test_")]
    if validation and not others:
        return f"No training metrics, only validation's ({', '.join(validation[:3])}): there is no gap to explain."
    if validation or any(part in name.lower() for name in others for part in _LIKE_VALIDATION):
        return f"No gap is explained, as names were not matched: {', '.join([*others, *validation][:6])}."
    return "No validation metrics: there is no gap to explain."


_LIKE_VALIDATION = ("val", "dev", "eval", "holdout")


def _by_chance(reported: Mapping[str, float | None], samples: tuple[int, int]) -> str:
    """Return what the sizes of the two sets say of chance; the variance of a share is greatest for equal samples."""
    accuracy, val_accuracy = reported["accuracy"], reported["val_accuracy"]
    if not all(samples):
        return "The sizes of both sets are not known here, so chance is not excluded."
    known = f"With {units.count(samples[0])} training and {units.count(samples[1])} validation samples, "
    sides = [share for share in (accuracy, val_accuracy) if share is not None and 0 <= share <= 1]
    if accuracy is None or val_accuracy is None or len(sides) < 2:
        return known + "chance is not excluded: nothing logged tells how the losses of single samples spread."
    spread = sum(share * (1 - share) / size for share, size in zip(sides, samples, strict=True))
    half, gap = _NORMAL_QUANTILE * math.sqrt(spread), abs(accuracy - val_accuracy)
    where = "within" if gap <= half else "beyond"
    return (
        f"{known}chance alone moves the accuracy gap by up to {units.points(half)} in 95 % of cases: the gap of "
        f"{units.points(gap)} is {where} it. Of the loss nothing logged tells."
    )


_NORMAL_QUANTILE = 1.959964


def _of_pattern(
    loss: Ledger | None, accuracy: Ledger | None, metrics: Mapping[str, float], epoch: int, loss_name: str
) -> str:
    """Return what a pattern of values that is often asked about comes from, or an empty sentence."""
    if is_regression(metrics, loss_name):
        return "These look like values of a regression, of which accuracy says nothing: no contradiction is in them."
    gaps = [None if ledger is None else ledger.gap for ledger in (loss, accuracy)]
    if epoch == 1 and gaps[0] is not None and gaps[1] is not None and gaps[1] < 0 < gaps[0]:
        return (
            "In the first epoch averaging over a model that still learns does this, and so does dropout: "
            "the first shrinks from epoch to epoch, the second stays."
        )
    return ""


def _headline(loss: Ledger | None, accuracy: Ledger | None, unmeasured: str, *, is_log: bool) -> str:
    if loss is None or loss.gap is None:
        return ""
    if accuracy is not None and accuracy.gap is not None and loss.gap > 0 and accuracy.gap > 0:
        return (
            "Lower loss together with lower accuracy is not explained by averaging, dropout or leakage alone: "
            "each of them would raise validation accuracy."
        )
    what = "The log alone does" if is_log else "The values alone do"
    return f"{what} not tell the cause: {unmeasured}."


def _the(loss_name: str) -> str:
    """Return how a sentence on a bound of cross-entropy begins: with its condition, as far as it is not known."""
    return "On hard labels, the" if is_cross_entropy(loss_name) else "For a cross-entropy on hard labels, the"


def _bounds(reported: Mapping[str, float | None], loss_name: str) -> list[Finding]:
    """A wrong answer gives its class at most one half, so its cross-entropy is at least ln 2."""
    if loss_name and not is_cross_entropy(loss_name):
        return []
    findings = []
    the = _the(loss_name)
    for side, prefix in (("training", ""), ("validation", VALIDATION_PREFIX)):
        loss, accuracy = reported[f"{prefix}loss"], reported[f"{prefix}accuracy"]
        if loss is None or accuracy is None:
            continue
        bound = (1 - accuracy) * math.log(2)
        if loss < bound:
            findings.append(
                Finding(
                    "bound",
                    "proved",
                    f"{the} {side} loss {loss:.4f} is below (1 − {accuracy:.4f})·ln 2 = "
                    f"{bound:.4f}: unless accuracy takes another class than the likelier one for the answer, loss and "
                    "accuracy are not averages over the same samples with the same weights.",
                    "",
                )
            )
    return findings


def _against_majority_baseline(
    reported: Mapping[str, float | None], baseline: Baseline | None, loss_name: str
) -> list[Finding]:
    if baseline is None or (loss_name and not is_cross_entropy(loss_name)):
        return []
    findings, the = [], _the(loss_name)
    guess, majority = baseline.train_loss, baseline.train_accuracy
    loss, accuracy = reported["loss"], reported["accuracy"]
    if loss is not None and accuracy is not None and loss > guess and accuracy >= majority:
        findings.append(
            Finding(
                "baseline",
                "proved",
                f"{the} training loss {loss:.3f} is above what a majority-class baseline scores ({guess:.3f}) "
                f"though its accuracy {accuracy:.3f} is above the majority share {majority:.3f}: it is not the plain "
                "mean of a fitted model. Weights, dropout, batch averaging or a heavy tail can do that; a probe tells "
                "which.",
                "",
            )
        )
    val_loss, val_accuracy = reported["val_loss"], reported["val_accuracy"]
    if val_loss is not None and val_accuracy is not None:
        on_loss = _beside(val_loss, baseline.validation_loss, _SAME_LOSS)
        on_accuracy = _beside(val_accuracy, baseline.validation_accuracy, _SAME_ACCURACY)
        findings.append(
            Finding(
                "baseline",
                "known",
                f"Validation is {on_loss} the majority-class baseline in loss ({val_loss:.3f} against "
                f"{baseline.validation_loss:.3f}) and {on_accuracy} it in accuracy ({val_accuracy:.3f} against "
                f"{baseline.validation_accuracy:.3f}).",
                "",
            )
        )
    return findings


def _beside(value: float, other: float, same: float) -> str:
    if abs(value - other) <= same:
        return "at"
    return "above" if value > other else "below"


def _by_signs(gaps: tuple[float, float], recorded: RecordedFit | None, *, is_rising: bool) -> list[Finding]:
    """Return what the signs of both gaps exclude; of weights nothing where it is known that there are none."""
    has_none = recorded is not None and recorded.weights == ""
    found = sign_findings(*gaps, is_rising=is_rising)
    return [finding for finding in found if not has_none or finding.cause != Cause.SAMPLE_WEIGHTS]


def _both_gaps(
    loss: Ledger | None, accuracy: Ledger | None, metrics: Mapping[str, float], loss_name: str
) -> tuple[float, float] | None:
    """Return both gaps where their signs tell something: not of a regression, whose accuracy means nothing."""
    gaps = [None if ledger is None else ledger.gap for ledger in (loss, accuracy)]
    if gaps[0] is None or gaps[1] is None or is_regression(metrics, loss_name):
        return None
    return gaps[0], gaps[1]


def _unknowns(
    loss: Ledger | None, accuracy: Ledger | None, settled_by: str, by_chance: str, fits: str, *, is_log: bool
) -> list[Finding]:
    if loss is None and accuracy is None:
        return []
    found = [
        Finding(
            "chance",
            "cannot tell",
            by_chance,
            "",
        ),
        Finding(
            Cause.BATCH_AVERAGING,
            "cannot tell",
            "In Keras 2 the training metrics that fit_generator prints count each batch the same, while validation "
            "counts each sample; with unequal batches that alone can move either gap either way.",
            "",
        ),
        Finding(
            "settle",
            "cannot tell",
            "Nothing that was logged separates the causes that remain" + (f": {fits}." if fits else "."),
            settled_by,
        ),
    ]
    # A run of our own has counted batches by their size, or measured how Keras does.
    return [finding for finding in found if is_log or finding.cause != Cause.BATCH_AVERAGING]
