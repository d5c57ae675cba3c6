"""A comparison in three sentences: the verdict, why, and what to do next."""

from collections.abc import Sequence

from tui_monitor.compare.changes import VALIDATION_DIGEST, Change, ScriptDifference
from tui_monitor.compare.ledgers import LedgerDifference
from tui_monitor.compare.outcome import ClassOutcome, Outcome
from tui_monitor.compare.paired import Difference
from tui_monitor.units import NATS, POINTS, AmountUnit, count

_MOST_NAMED = 3
_LEAST_OF_GAP = 0.1
"""A cause that moved by less of the gap says nothing of why two runs differ."""


def verdict(first: str, second: str, found: Outcome) -> str:
    """Return which of two runs is better, that chance alone would give their difference, or why nobody knows."""
    both = [
        (metric, difference, unit, is_more_better)
        for metric, difference, unit, is_more_better in (
            ("loss", found.loss, NATS, False),
            ("accuracy", found.accuracy, POINTS, True),
        )
        if difference is not None
    ]
    if not both:
        return f"{first} and {second} have no validation value in common: they can't be compared."
    if all(difference.error is None for _, difference, _, _ in both):
        amounts = "; ".join(f"validation {metric} {_amount(d, unit)}" for metric, d, unit, _ in both)
        return f"{second} against {first}: {amounts}. Whether that is more than chance can't be told."
    clauses: dict[str, list[str]] = {first: [], second: []}
    within: list[str] = []
    for metric, difference, unit, is_more_better in both:
        if difference.is_worth_naming:
            is_second = (difference.value > 0) is is_more_better
            clauses[second if is_second else first].append(_better_by(metric, difference, unit, is_second=is_second))
        else:
            within.append(f"{metric} ({_amount(difference, unit)})")
    better = [f"{name} is better in validation {' and '.join(texts)}" for name, texts in clauses.items() if texts]
    if not better:
        is_near = any(difference.excludes_zero for _, difference, _, _ in both)
        return (
            f"{'Not settled' if is_near else 'Within chance'}: {second} against {first}, "
            f"validation {' and '.join(within)}."
        )
    rest = "".join(f"; {text} is {word}" for text, word in zip(within, _words(both), strict=True))
    return f"{', '.join(better)}{rest}."


def _words(both: Sequence[tuple[str, Difference, AmountUnit, bool]]) -> list[str]:
    """Return what each difference that is not worth naming is called."""
    others = [difference for _, difference, _, _ in both if not difference.is_worth_naming]
    return ["not settled" if difference.excludes_zero else "within chance" for difference in others]


def _better_by(metric: str, difference: Difference, unit: AmountUnit, *, is_second: bool) -> str:
    """Return by how much the better run is better, whichever it is."""
    sign = 1 if is_second else -1
    value = difference.value * sign
    ends = sorted(end * sign for end in (difference.low, difference.high) if end is not None)
    interval = f" {unit.interval(*ends)}" if len(ends) == 2 else ""
    return f"{metric} ({unit.amount_with_unit(value)}{interval})"


def why(
    changed: Sequence[Change],
    script: ScriptDifference,
    found: Outcome,
    loss: LedgerDifference | None,
    accuracy: LedgerDifference | None,
) -> str:
    """Return what was different, where the difference lies, and what it did to the gap."""
    parts = [_changed(changed, script), _classes(found.classes), _ledger(loss, accuracy)]
    return " ".join(part for part in parts if part)


def next_step(changed: Sequence[Change], script: ScriptDifference, found: Outcome) -> str:
    """Return what to do."""
    differences = [difference for difference in (found.loss, found.accuracy) if difference is not None]
    if not differences:
        return "Validate both runs on the same samples."
    if all(difference.error is None for difference in differences):
        return "Record both with a probe budget above 0: their validation samples are then kept and paired."
    if not any(difference.is_paired for difference in differences):
        return "Validate both on the same samples: the difference is then the models' alone."
    if any(difference.is_worth_naming for difference in differences):
        causes = _causes(changed, script)
        subject = f"that {causes[0]} made the difference" if len(causes) == 1 else "which of the changes made it"
        return (
            "It holds for these two trained models. Another seed can turn it: repeat both with two more seeds to know "
            f"{subject}."
        )
    needed = [each.samples_to_settle for each in differences if each.samples_to_settle]
    settled = f" Some {count(min(needed))} validation samples would settle a difference of this size." if needed else ""
    return f"These samples don't tell them apart: take the cheaper one.{settled}"


def _amount(difference: Difference, unit: AmountUnit) -> str:
    interval = unit.interval(difference.low, difference.high)
    return f"{unit.amount_with_unit(difference.value)}{f' {interval}' if interval else ''}"


def _causes(changed: Sequence[Change], script: ScriptDifference) -> list[str]:
    """Return names of what may have made a difference: all but the machine, and what follows from the arguments."""
    named = [_name(change) for change in changed if change.about in ("argument", "model", "data", "version")]
    return [*named, *(["the script"] if script.lines else [])]


def _changed(changed: Sequence[Change], script: ScriptDifference) -> str:
    told = [change for change in changed if change.about in ("argument", "model", "data")]
    told += [change for change in changed if change.about == "version"]
    texts = [_text(change) for change in told[:_MOST_NAMED]]
    if script.lines:
        texts.append("the script's text")
    more = len(told) - _MOST_NAMED
    if not texts:
        unknown = "" if script.is_known else ", and their scripts were not kept"
        return f"Nothing that is recorded differs between them{unknown}: seeds, or the order of data, remain."
    if len(texts) == 1 and len(told) <= 1:
        return f"The one recorded difference is {texts[0]}."
    return f"Different: {', '.join(texts)}{f' and {more} more' if more > 0 else ''}."


def _name(change: Change) -> str:
    return "the validation samples" if change.name == VALIDATION_DIGEST else change.name


def _text(change: Change) -> str:
    if change.name == VALIDATION_DIGEST:
        return _name(change)
    return f"{change.name} ({change.first or 'not given'} → {change.second or 'not given'})"


def _classes(classes: Sequence[ClassOutcome]) -> str:
    named = sorted((each for each in classes if each.is_worth_naming), key=lambda each: -abs(each.mended - each.broken))
    texts = [
        f"class {each.label} {POINTS.amount_with_unit(each.second - each.first)} "
        f"({each.mended} mended, {each.broken} broken)"
        for each in named[:_MOST_NAMED]
    ]
    return f"Recall: {', '.join(texts)}." if texts else ""


def _ledger(loss: LedgerDifference | None, accuracy: LedgerDifference | None) -> str:
    texts = []
    for metric, difference, unit in (("loss", loss, NATS), ("accuracy", accuracy, POINTS)):
        if difference is None:
            continue
        least = _LEAST_OF_GAP * max(abs(difference.first), abs(difference.second))
        terms = [term for term in difference.terms if term.is_worth_naming and abs(term.value) >= least]
        terms.sort(key=lambda term: -abs(term.value))
        if terms:
            named = ", ".join(f"{term.cause.label} {unit.amount_with_unit(term.value)}" for term in terms[:2])
            ends = f"{unit.amount(difference.first)} → {unit.amount_with_unit(difference.second)}"
            texts.append(f"In the {metric} gap ({ends}): {named}.")
    return " ".join(texts)
