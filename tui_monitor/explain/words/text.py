"""An explanation as plain text, for `explain` and for terminals without a screen."""

import textwrap
from collections.abc import Iterator

from tui_monitor import units
from tui_monitor.explain.words.causes import meaning
from tui_monitor.run_log.events.explanation import Explanation, OutputExplanation
from tui_monitor.run_log.events.ledger import KindPart, Ledger, Term, unmeasured

_WIDTH = 88


def explanation_text(explanation: Explanation) -> str:
    """Return the whole explanation in lines of at most 88 characters."""
    blocks = [
        _heading(explanation),
        _answer(explanation),
        *_ledgers(explanation),
        _mistakes(explanation),
        _classes(explanation),
        _behind(explanation),
        _findings(explanation),
        _wrapped(*explanation.limits),
    ]
    return "\n\n".join(block for block in blocks if block)


def _heading(explanation: Explanation) -> str:
    when = f"epoch {explanation.epoch}" + (f", batch {explanation.batch}" if explanation.batch else "")
    reported = explanation.reported
    metrics = ", ".join(f"{name} {units.rounded(value)}" for name, value in reported.items() if value is not None)
    samples = explanation.samples
    if explanation.evidence == "log":
        basis = "From logged values alone: nothing was measured."
    else:
        basis = f"Measured on {units.count(samples['train'] or 0)} training"
        if samples["validation"] is not None:
            basis += f" and {units.count(samples['validation'])} validation"
        basis += f" {explanation.unit}s"
        if explanation.cost is not None:
            limit = f" ({explanation.cost.limit})" if explanation.cost.limit else ""
            basis += (
                f", for {units.percentage(explanation.cost.share_of_training, 1)} of the training time so far{limit}"
            )
        basis += "."
    return f"{explanation.run}, {when}: {metrics}\n{basis}"


def _answer(side: Explanation | OutputExplanation) -> str:
    return _told(("Verdict", side.verdict), ("Why", side.headline), ("Next", side.next_step))


def _told(*lines: tuple[str, str]) -> str:
    """Return each sentence after its label, wrapped beside it; a sentence that is empty has no line."""
    return "\n".join(
        textwrap.fill(sentence, _WIDTH, initial_indent=f"{label:<8} ", subsequent_indent=" " * 9)
        for label, sentence in lines
        if sentence
    )


def _wrapped(*sentences: str) -> str:
    return "\n".join(textwrap.fill(sentence, _WIDTH, subsequent_indent="  ") for sentence in sentences if sentence)


def _ledgers(explanation: Explanation) -> Iterator[str]:
    """Yield the ledgers of the whole model, then those of each of several outputs.

    A log does not tell which loss it is of, so its unit is not known.
    """
    sides: list[tuple[str, Explanation | OutputExplanation]] = [("", explanation)]
    sides += [(f" of {output.name}", output) for output in explanation.outputs]
    is_logged = explanation.evidence == "log"
    for of, side in sides:
        if isinstance(side, OutputExplanation) and (answer := _answer(side)):
            yield f"Output {side.name}\n{answer}"
        if side.loss is not None:
            unit = ", nats" if side.in_nats and not is_logged else ""
            yield _ledger(f"Loss{of}{unit}", side.loss, units.NATS)
        if side.accuracy is not None:
            yield _ledger(f"Accuracy{of}, points", side.accuracy, units.POINTS)


def _ledger(name: str, ledger: Ledger, unit: units.AmountUnit) -> str:
    lines = [f"{name:<32} {'effect':>9}  {'95 % interval':<20} verdict"]
    for term in ledger.terms:
        if term.effect is not None or not term.reason:
            lines += [_term(term, ledger.label(term.cause), unit), *(_part(part, unit) for part in term.parts)]
    note = "within chance" if ledger.within_noise else ""
    lines.append(f"{'gap (training − validation)':<32} {unit.amount(ledger.gap):>9}  {note:<20}".rstrip())
    lines += [
        textwrap.fill(f"  {'; '.join(names)}: {reason}", _WIDTH, subsequent_indent="    ")
        for reason, names in unmeasured(ledger).items()
    ]
    return "\n".join(lines)


def _part(part: KindPart, unit: units.AmountUnit) -> str:
    interval = unit.interval(part.low, part.high)
    return f"    {part.label:<29} {unit.amount(part.effect):>8}  {interval}".rstrip()


def _term(term: Term, label: str, unit: units.AmountUnit) -> str:
    interval = unit.interval(term.low, term.high)
    return f"  {label:<31} {unit.amount(term.effect):>8}  {interval:<20} {term.word}"


def _mistakes(explanation: Explanation) -> str:
    mistakes = explanation.mistakes
    if mistakes is None or mistakes.effects is None:
        return ""
    effects = mistakes.effects
    return "\n".join(
        [
            "Loss difference at the same weights, split by mistakes (training − validation)",
            f"  {'more or fewer mistakes':<30} {units.NATS.amount(effects.more_mistakes):>9}  "
            f"error rate {units.percentage(mistakes.train.error_rate, 1)} against "
            f"{units.percentage(mistakes.validation.error_rate, 1)}",
            f"  {'surer or less sure when right':<30} {units.NATS.amount(effects.when_right):>9}",
            f"  {'milder or worse when wrong':<30} {units.NATS.amount(effects.when_wrong):>9}",
        ]
    )


def _classes(explanation: Explanation) -> str:
    classes, baseline = explanation.classes, explanation.baseline
    lines = []
    if classes is not None:
        p_value = "" if classes.p_value is None else f" (p = {classes.p_value:.2g}, chi-squared test)"
        lines.append(f"Class shares, training against validation{p_value}")
        lines += [
            f"  class {label:<24} {units.percentage(train, 1):>9}  {units.percentage(validation, 1)}"
            for label, train, validation in zip(
                classes.labels[:10], classes.train_share, classes.validation_share, strict=False
            )
        ]
        if len(classes.labels) > 10:
            lines.append(f"  and {len(classes.labels) - 10} more classes")
    lines += _labels(explanation)
    if baseline is not None:
        lines.append(
            f"The majority-class baseline scores loss {baseline.train_loss:.3f}, accuracy "
            f"{baseline.train_accuracy:.3f} in training;"
        )
        lines.append(f"  {baseline.validation_loss:.3f} and {baseline.validation_accuracy:.3f} in validation.")
    return "\n".join(lines)


def _labels(explanation: Explanation) -> Iterator[str]:
    """Yield a line for each of several labels that samples may have: shares and recall of both sides."""
    if explanation.labels is None:
        return
    each = explanation.labels.each
    yield f"{'Labels, training against validation':<32} {'share':>11}{'':<9} recall"
    rows = zip(each.labels, each.train_share, each.validation_share, strict=True)
    for (label, *shares), recalls in zip(
        rows, zip(each.train_recall, each.validation_recall, strict=True), strict=True
    ):
        found = ("–" if value is None else units.percentage(value, 1) for value in recalls)
        said = (f"{value:>9}" for value in (*(units.percentage(share, 1) for share in shares), *found))
        yield f"  label {label:<24}{' '.join(said)}"


def _behind(explanation: Explanation) -> str:
    """Return calibration and tail of both sides, a line each."""
    held = explanation.distributions
    lines = []
    if held is not None and held.calibration is not None:
        sides = (held.calibration.train, held.calibration.validation)
        said = (f"{units.points(side.error)} ({units.points(side.chance)} by chance)" for side in sides if side)
        lines.append(f"Expected calibration error, training against validation: {', '.join(said)}.")
    if held is not None and held.losses is not None:
        tails = (units.percentage(side.worst_share, 1) for side in (held.losses.train, held.losses.validation) if side)
        lines.append(f"The worst 1 % of samples hold of the loss, training against validation: {', '.join(tails)}.")
    return _wrapped(*lines)


def _findings(explanation: Explanation) -> str:
    lines = []
    for finding in explanation.findings:
        lines.append(textwrap.fill(f"- {finding.sentence}", _WIDTH, subsequent_indent="  "))
        if said := meaning(finding.cause):
            lines.append(textwrap.fill(f"  {said}", _WIDTH, subsequent_indent="  "))
        if finding.advice:
            lines.append(textwrap.fill(f"  {finding.advice}", _WIDTH, subsequent_indent="  "))
        lines += [f"      {line}" for line in finding.code.splitlines()]
    return "\n".join(lines)
