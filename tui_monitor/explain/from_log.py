"""What logged values alone prove, exclude and leave open: no probe, so no amount is ever claimed."""

import math
from collections.abc import Mapping, Sequence

from tui_monitor import units
from tui_monitor.explain.log_history import is_regression, loss_trend, suggestions
from tui_monitor.explain.words.sentences import is_paradox
from tui_monitor.run_log.events.explanation import (
    Baseline,
    Cause,
    Explanation,
    Finding,
    Ledger,
    Term,
    Verdict,
)

Signs = tuple[str, str]

_ALL_SIGNS: tuple[Signs, ...] = (("+", "+"), ("+", "−"), ("−", "+"), ("−", "−"))
_SIGNS: Mapping[Cause, tuple[Signs, ...]] = {
    Cause.IN_EPOCH_AVERAGING: (("+", "−"), ("−", "+")),
    # Dropout and noise one way, batch norm whose moving statistics lag the other.
    Cause.TRAIN_MODE_LAYERS: (("+", "−"), ("−", "+")),
    Cause.SAMPLE_WEIGHTS: (("+", "0"), ("−", "0")),
    Cause.BATCH_AVERAGING: _ALL_SIGNS,
    Cause.CLASS_MIX: _ALL_SIGNS,
    Cause.LEAKED: (("+", "−"),),
    Cause.INPUT_SCALE: (("−", "+"),),
    Cause.WITHIN_CLASS: _ALL_SIGNS,
}
"""What each cause may do to (loss gap, accuracy gap)."""
_WHILE_FALLING: Signs = ("+", "−")
_WHILE_RISING: Signs = ("−", "+")
"""What averaging does while the training loss falls, or rises."""

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
    before: Sequence[Mapping[str, float]] = (),
) -> Explanation:
    """Return the explanation that one epoch's logged values support.

    Args:
        run: the run's name.
        epoch: from 1.
        metrics: canonical names to values; losses in nats.
        class_shares: of all classes on both sides, adding up to 1, where known.
        measured_epoch: the nearest epoch of the run that was measured, or None where none was.
        samples: those that training's and validation's metrics are means over; 0 where the log does not say.
        before: values of the epochs before, oldest first, where known.
    """
    signs = _signs(loss_trend(before, metrics))
    if measured_epoch is None:
        unmeasured, settled_by = "nothing was measured in this run", _SETTLED_BY
    else:
        unmeasured = "this epoch was not measured, as that would have cost more than its budget"
        settled_by = f"`tui-monitor explain {run} --epoch {measured_epoch}` shows the nearest epoch that was measured."
    reported = {name: _finite(metrics.get(name)) for name in ("loss", "val_loss", "accuracy", "val_accuracy")}
    loss = _ledger(reported["loss"], reported["val_loss"], 0, signs)
    accuracy = _ledger(reported["accuracy"], reported["val_accuracy"], 1, signs)
    baseline = _baseline(class_shares)
    findings = [
        *suggestions(before, metrics),
        *([] if is_regression(metrics) else _bounds(reported)),
        *_against_majority_baseline(reported, baseline),
        *_sign_findings(loss, accuracy, signs),
        *_unknowns(loss, accuracy, settled_by, _by_chance(reported, samples)),
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
        headline=_headline(loss, accuracy, unmeasured, metrics, epoch),
        next_step=settled_by if loss or accuracy else "",
        findings=tuple(findings),
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _signs(trend: int) -> Mapping[Cause, tuple[Signs, ...]]:
    """Return what each cause may do, given whether the training loss falls (−1), rises (1), or neither is known."""
    if not trend:
        return _SIGNS
    return {**_SIGNS, Cause.IN_EPOCH_AVERAGING: (_WHILE_FALLING if trend < 0 else _WHILE_RISING,)}


def _ledger(
    training: float | None, validation: float | None, column: int, signs: Mapping[Cause, tuple[Signs, ...]]
) -> Ledger | None:
    if training is None or validation is None:
        return None
    gap = training - validation
    terms = tuple(Term(cause, None, None, None, _verdict_by_sign(may, gap, column)) for cause, may in signs.items())
    return Ledger(gap=gap, low=None, high=None, within_noise=None, terms=terms)


def _verdict_by_sign(may: Sequence[Signs], gap: float, column: int) -> Verdict:
    """A cause that pushes a gap the other way alone, or not at all, can't be why it is there."""
    is_possible = any((sign[column] == "+" and gap >= 0) or (sign[column] == "−" and gap <= 0) for sign in may)
    return Verdict.CANNOT_TELL if is_possible else Verdict.RULED_OUT


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
        clauses.append(f"loss is {abs(loss.gap):.3f} {'lower' if loss.gap > 0 else 'higher'}")
    if accuracy is not None and accuracy.gap is not None:
        clauses.append(f"accuracy is {units.points(accuracy.gap)} {'lower' if accuracy.gap > 0 else 'higher'}")
    return f"Validation {', '.join(clauses)}." if clauses else _why_no_gap(metrics)


def _why_no_gap(metrics: Mapping[str, float]) -> str:
    """Return what is missing where neither loss nor accuracy has two sides."""
    named = (("training", "loss"), ("validation", "val_loss"), ("training", "accuracy"), ("validation", "val_accuracy"))
    bad = [
        f"the {side} side is {'NaN' if math.isnan(value) else 'infinite'} ({name})"
        for side, name in named
        if (value := metrics.get(name)) is not None and not math.isfinite(value)
    ]
    if bad:
        return f"There is no gap to explain: {', '.join(bad)}."
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
        return "The sizes of the two sets are not in the log, so chance is not excluded."
    known = f"With {units.count(samples[0])} training and {units.count(samples[1])} validation samples, "
    sides = [share for share in (accuracy, val_accuracy) if share is not None and 0 <= share <= 1]
    if accuracy is None or val_accuracy is None or len(sides) < 2:
        return known + "chance is not excluded: the log does not tell how the losses of single samples spread."
    spread = sum(share * (1 - share) / size for share, size in zip(sides, samples, strict=True))
    half, gap = _NORMAL_QUANTILE * math.sqrt(spread), abs(accuracy - val_accuracy)
    where = "within" if gap <= half else "beyond"
    return (
        f"{known}chance alone moves the accuracy gap by up to {units.points(half)} in 95 % of cases: the gap of "
        f"{units.points(gap)} is {where} it. Of the loss the log does not tell."
    )


_NORMAL_QUANTILE = 1.959964


def _headline(
    loss: Ledger | None, accuracy: Ledger | None, unmeasured: str, metrics: Mapping[str, float], epoch: int
) -> str:
    if is_regression(metrics):
        return "These look like values of a regression, of which accuracy says nothing: no contradiction is in them."
    if loss is None or loss.gap is None:
        return ""
    if accuracy is not None and accuracy.gap is not None and loss.gap > 0 and accuracy.gap > 0:
        return (
            "Lower loss together with lower accuracy is not explained by averaging, dropout or leakage alone: "
            "each of them would raise validation accuracy."
        )
    if epoch == 1 and accuracy is not None and (accuracy.gap or 0.0) < 0 < loss.gap:
        return (
            "In the first epoch averaging over a model that still learns does this, and so does dropout: "
            "the first shrinks from epoch to epoch, the second stays."
        )
    return f"The log alone does not tell the cause: {unmeasured}."


def _bounds(reported: Mapping[str, float | None]) -> list[Finding]:
    """A wrong answer gives its class at most one half, so it costs at least ln 2."""
    findings = []
    for side, loss_name, accuracy_name in (
        ("training", "loss", "accuracy"),
        ("validation", "val_loss", "val_accuracy"),
    ):
        loss, accuracy = reported[loss_name], reported[accuracy_name]
        if loss is None or accuracy is None:
            continue
        bound = (1 - accuracy) * math.log(2)
        if loss < bound:
            findings.append(
                Finding(
                    "bound",
                    "proved for a cross-entropy",
                    f"The {side} loss {loss:.4f} is below (1 − {accuracy:.4f})·ln 2 = {bound:.4f}. If it is a "
                    "cross-entropy of hard labels, loss and accuracy are not averages over the same samples with the "
                    "same weights; of a squared error, a focal loss, smoothed labels or several outputs it proves "
                    "nothing.",
                    "",
                )
            )
    return findings


def _against_majority_baseline(reported: Mapping[str, float | None], baseline: Baseline | None) -> list[Finding]:
    if baseline is None:
        return []
    findings = []
    guess, majority = baseline.train_loss, baseline.train_accuracy
    loss, accuracy = reported["loss"], reported["accuracy"]
    if loss is not None and accuracy is not None and loss > guess and accuracy >= majority:
        findings.append(
            Finding(
                "baseline",
                "proved",
                f"The training loss {loss:.3f} is above what a majority-class baseline scores ({guess:.3f}) though its "
                f"accuracy {accuracy:.3f} is above the majority share {majority:.3f}: it is not the plain mean of a "
                "fitted model. Weights, dropout, batch averaging or a heavy tail can do that; a probe tells which.",
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


def _sign_findings(
    loss: Ledger | None, accuracy: Ledger | None, signs: Mapping[Cause, tuple[Signs, ...]]
) -> list[Finding]:
    if loss is None or accuracy is None or loss.gap is None or accuracy.gap is None:
        return []
    pattern = tuple("+" if gap > 0 else "−" for gap in (loss.gap, accuracy.gap))
    seen = f"({pattern[0]}, {pattern[1]})"
    findings = []
    for cause, may in signs.items():
        is_said_below = cause is Cause.LEAKED and pattern == ("+", "+")
        if pattern not in may and not is_said_below:
            moves = " or ".join(f"({on_loss}, {on_accuracy})" for on_loss, on_accuracy in may)
            findings.append(
                Finding(
                    cause,
                    "excluded alone",
                    f"{cause.label}: moves (loss gap, accuracy gap) by {moves}{_WHY_SO.get(cause, '')}; here they are "
                    f"{seen}: not the cause of both.",
                    "",
                )
            )
    if pattern == ("+", "+"):
        findings += _answers_that_do_not_hold(seen)
    return findings


_WHY_SO = {
    Cause.IN_EPOCH_AVERAGING: ", as the training loss falls or rises",
    Cause.TRAIN_MODE_LAYERS: ", the first dropout and noise, the second batch norm that lags",
}


def _answers_that_do_not_hold(seen: str) -> list[Finding]:
    """Return what usual answers to lower loss beside lower accuracy overlook."""
    return [
        Finding(
            "leakage",
            "excluded alone",
            f"Leaked or easier validation samples move the gaps by (+, −), not by {seen}.",
            "",
        ),
        Finding(
            Cause.CLASS_MIX,
            "excluded alone",
            "Other class shares alone do not do it where the minority is the harder class: less of it in validation "
            f"moves the gaps by (+, −), more of it by (−, +); {seen} needs a second cause beside them.",
            "",
        ),
    ]


def _unknowns(loss: Ledger | None, accuracy: Ledger | None, settled_by: str, by_chance: str) -> list[Finding]:
    if loss is None and accuracy is None:
        return []
    return [
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
        Finding("settle", "cannot tell", "Nothing in the log separates the causes that remain.", settled_by),
    ]
