"""From probed samples to the whole explanation: ledgers, mistakes, classes, baseline, sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tui_monitor.explain.evidence.check_results import LABELS_APART, Check
from tui_monitor.explain.evidence.checks import checks
from tui_monitor.explain.evidence.class_shares import baseline, describe_classes, recall_and_precision, stratified
from tui_monitor.explain.evidence.distributions import distributions
from tui_monitor.explain.evidence.found import copy_places, moved_classes, sample_order
from tui_monitor.explain.evidence.label_shares import describe_labels
from tui_monitor.explain.evidence.mistakes import side_mistakes, split_mistakes
from tui_monitor.explain.ledger.build import build_ledger, has_classes
from tui_monitor.explain.ledger.within import is_scale_confirmed
from tui_monitor.explain.samples.counted import training_counted, validation_counted
from tui_monitor.explain.samples.opened import BatchNorm, Fresh, Opened
from tui_monitor.explain.samples.probes import (
    IN_ACCURACY,
    IN_LOSS,
    FloatArray,
    IntArray,
    TrainingProbe,
    ValidationProbe,
)
from tui_monitor.explain.words.advice import next_step
from tui_monitor.explain.words.facts import Facts
from tui_monitor.explain.words.findings import findings
from tui_monitor.explain.words.sentences import headline, is_paradox, verdict_line
from tui_monitor.run_log.events.explanation import (
    Baseline,
    Classes,
    Cost,
    Explanation,
    Labels,
    Mistakes,
    OutputExplanation,
    Stratified,
)
from tui_monitor.run_log.events.ledger import Cause, Ledger
from tui_monitor.run_log.events.opened import BatchNormLag, FreshTest, OpenedEvidence


@dataclass(frozen=True)
class Moment:
    """When and in which run the samples were measured."""

    run: str
    epoch: int
    """From 1."""
    batch: int | None
    """Batches of the epoch done; None at the epoch's end."""
    cost: Cost | None
    caveats: tuple[str, ...] = ()
    samples: int | None = None
    """Training samples of the whole epoch; None where the explanation need not hold distributions."""


def explain_probe(
    probe: TrainingProbe,
    validation: ValidationProbe | None,
    moment: Moment,
    *,
    without: frozenset[str] = frozenset(),
    unit: str = "sample",
    opened: Opened | None = None,
) -> Explanation:
    """Return the explanation that the samples of one moment support.

    Args:
        probe: at least one probed training sample.
        validation: None when the training has no validation: then there is no gap and no ledger.
        moment: copied into the explanation.
        without: `loss` or `accuracy`, where their ledger can't be trusted.
        unit: what the means are over.
        opened: what was measured of the within-class term; None where nothing was.
    """
    opened, found = _checked(probe, validation, opened)
    loss, accuracy = (
        build_ledger(probe, validation, name, opened=opened) if validation and name not in without else None
        for name in ("loss", "accuracy")
    )
    evidence = _evidence(opened, probe, validation, found)
    # What lies behind the means is shown of the units that are part of both.
    probe = training_counted(probe, IN_LOSS | IN_ACCURACY)
    validation = None if validation is None else validation_counted(validation, IN_LOSS | IN_ACCURACY)
    strata = _post_stratification(probe)
    facts = replace(_facts(probe, validation, strata, loss, accuracy), opened=evidence, checks=found)
    if unit != "sample":
        facts = replace(facts, class_weights=None)
    caveats = (*moment.caveats, *_not_rerun(opened))
    if not validation:
        caveats = (*caveats, "No validation data: there is no gap to explain.")
    return Explanation(
        run=moment.run,
        epoch=moment.epoch,
        batch=moment.batch,
        evidence="probe",
        reported=facts.reported,
        paradox=is_paradox(facts.reported),
        loss=loss,
        accuracy=accuracy,
        mistakes=_mistakes(probe, validation, strata) if validation else None,
        classes=facts.classes,
        baseline=facts.baseline,
        penalty=probe.loss.offset_now,
        samples={"train": int(probe.batch.size), "validation": int(validation.loss.size) if validation else None},
        cost=moment.cost,
        verdict=verdict_line(facts),
        headline=headline(facts) if validation else "",
        next_step=next_step(facts),
        findings=findings(facts),
        limits=caveats,
        stratified=facts.stratified,
        unit=unit,
        in_nats=probe.loss.in_nats,
        opened=facts.opened,
        labels=_labels(opened),
        distributions=None if moment.samples is None else distributions(probe, validation, strata, moment.samples),
    )


def _checked(
    probe: TrainingProbe, validation: ValidationProbe | None, opened: Opened | None
) -> tuple[Opened | None, tuple[Check, ...]]:
    """Return what the checks find, and what was opened as far as their findings leave it standing."""
    if opened is None:
        return None, ()
    found = checks(probe, validation, opened.observed) if validation and opened.observed else ()
    if any(isinstance(check, LABELS_APART) for check in found):
        opened = _without_fresh_test(opened)
    if opened.leak is not None and opened.leak.is_beyond_chance:
        found = (opened.leak.found, *found)
    return opened, found


def _not_rerun(opened: Opened | None) -> tuple[str, ...]:
    """Return why a model's rounding could not be measured, where it should have been."""
    again = opened.observed.rerun if opened is not None and opened.observed is not None else None
    if again is None or not again.why_not:
        return ()
    return (f"What rounding to {again.dtype} does to the loss is not measured: {again.why_not}.",)


def _facts(
    probe: TrainingProbe,
    validation: ValidationProbe | None,
    strata: FloatArray,
    loss: Ledger | None,
    accuracy: Ledger | None,
) -> Facts:
    """Return what sentences are written from, but for what was opened and checked."""
    classes = _classes(probe, validation, strata) if validation else None
    return Facts(
        reported=_reported(probe, validation, loss, accuracy),
        loss=loss,
        accuracy=accuracy,
        classes=classes,
        baseline=_baseline(probe, validation) if validation else None,
        stratified=_stratified(probe, validation) if validation else None,
        class_weights=_class_weights(probe),
        is_by_class=classes is not None and not probe.loss.is_of_batches,
        weights_used=bool((probe.weight != 1.0).any()),
        is_validation_weighted=validation is not None and bool((validation.weight != 1.0).any()),
        random_mode=not np.array_equal(probe.loss.training, probe.loss.inference),
    )


def _evidence(
    opened: Opened | None, probe: TrainingProbe, validation: ValidationProbe | None, found: Sequence[Check]
) -> OpenedEvidence | None:
    """Return what is recorded of what was opened; None where there is nothing."""
    if opened is None or validation is None:
        return None
    leak, rescaled, fresh = opened.leak, opened.rescaled, opened.fresh
    is_by_sample = opened.observed is not None and opened.observed.units_are_samples
    evidence = OpenedEvidence(
        leak=leak.found if leak is not None else None,
        scale=rescaled.scale if rescaled is not None and is_scale_confirmed(rescaled) else None,
        fresh=_fresh_test(fresh) if fresh is not None else None,
        batch_norm=_batch_norm(opened.batch_norm, validation) if opened.batch_norm is not None else None,
        copies=copy_places(leak) if leak is not None and leak.is_beyond_chance else None,
        moved=moved_classes(found, probe, validation),
        order=sample_order(probe, validation) if is_by_sample else None,
    )
    return evidence if evidence != OpenedEvidence() else None


def _labels(opened: Opened | None) -> Labels | None:
    labels = opened.observed.labels if opened is not None and opened.observed is not None else None
    return None if labels is None else describe_labels(labels)


def _without_fresh_test(opened: Opened) -> Opened:
    """Return what was opened without different data and memorised samples, where validation's labels are wrong.

    What a wrong label costs grows with how sure the model is: it would count as memorised.
    """
    why = "Validation's labels don't fit its inputs: what that costs grows as the model gets surer."
    return replace(opened, fresh=None, reasons={**opened.reasons, Cause.UNFAMILIAR: why, Cause.MEMORISED: why})


def _fresh_test(fresh: Fresh) -> FreshTest:
    losses = fresh.loss, fresh.validation_loss
    sizes, means = (loss.size for loss in losses), (float(loss.mean()) for loss in losses)
    return FreshTest(fresh.batches_before, *sizes, *means)


def _batch_norm(found: BatchNorm, validation: ValidationProbe) -> BatchNormLag:
    """Return what was found of batch normalisation, with what validation would report at statistics of now."""
    sample, accuracy = found.validation_sample, None
    if validation.reported_loss is None:
        return found.found
    loss = validation.reported_loss + float((found.validation_loss - validation.loss[sample]).mean())
    if validation.correct is not None and validation.reported_accuracy is not None:
        change = float((found.validation_correct - validation.correct[sample]).mean())
        accuracy = min(1.0, max(0.0, validation.reported_accuracy + change))
    return replace(found.found, val_loss=loss, val_accuracy=accuracy)


def explain_output(
    name: str,
    probe: TrainingProbe,
    validation: ValidationProbe | None,
    unit: str,
    *,
    without: frozenset[str] = frozenset(),
    opened: Opened | None = None,
) -> OutputExplanation:
    """Return the gaps of one of several outputs.

    Args:
        name: of the output.
        probe: of training.
        validation: None where it has none.
        unit: what the means are over.
        without: `loss` or `accuracy`, where their ledger can't be trusted.
        opened: why the within-class term is not opened.
    """
    moment = Moment(run="", epoch=0, batch=None, cost=None)
    found = explain_probe(probe, validation, moment, without=without, unit=unit, opened=opened)
    return OutputExplanation(
        name,
        found.reported,
        found.loss,
        found.accuracy,
        found.classes,
        unit,
        found.in_nats,
        found.verdict,
        found.headline,
        found.next_step,
    )


def _reported(
    probe: TrainingProbe, validation: ValidationProbe | None, loss: Ledger | None, accuracy: Ledger | None
) -> Mapping[str, float | None]:
    train_accuracy = probe.accuracy.reported if probe.accuracy else None
    known = (validation.reported_loss, validation.reported_accuracy) if validation else (None, None)
    return {
        "loss": probe.loss.reported,
        "val_loss": _validation_value(probe.loss.reported, loss, known[0]),
        "accuracy": train_accuracy,
        "val_accuracy": _validation_value(train_accuracy, accuracy, known[1]),
    }


def _validation_value(training: float | None, ledger: Ledger | None, reported: float | None) -> float | None:
    if training is None or ledger is None or ledger.gap is None:
        return reported
    return training - ledger.gap


def _post_stratification(probe: TrainingProbe) -> FloatArray:
    """Return what each probed sample stands for, so that class shares are the exact ones, shape (n,), mean 1."""
    if probe.epoch_class_counts is None or not has_classes(probe.label):
        return np.ones(probe.label.size)
    size = max(probe.epoch_class_counts.size, int(probe.label.max()) + 1)
    exact = np.pad(probe.epoch_class_counts, (0, size - probe.epoch_class_counts.size)).astype(float)
    counts = np.bincount(probe.label, minlength=size).astype(float)
    weight = np.divide(exact, counts, out=np.zeros(size), where=counts > 0)[probe.label]
    mean = float(weight.mean())
    return weight / mean if mean > 0 else np.ones(probe.label.size)


def _class_weights(probe: TrainingProbe) -> Mapping[int, float] | None:
    """Return the one weight of each probed class; None where samples of a class differ in it, or all have the same."""
    if not has_classes(probe.label):
        return None
    found: dict[int, float] = {}
    for index in np.unique(probe.label):
        weights = probe.weight[probe.label == index]
        if weights.max() - weights.min() > 1e-6 * max(1.0, abs(float(weights.max()))):
            return None
        found[int(index)] = float(weights.mean())
    is_one = max(found.values()) - min(found.values()) <= 1e-6 * max(1.0, abs(max(found.values())))
    return None if is_one and len(found) > 1 else found


def _stratified(probe: TrainingProbe, validation: ValidationProbe) -> Stratified | None:
    """Return what validation shows at training's class shares, penalty included as in the reported loss."""
    if probe.epoch_class_counts is None or not has_classes(validation.label) or probe.loss.is_of_batches:
        return None
    loss = stratified(validation.loss + validation.offset, validation.label, probe.epoch_class_counts)
    if loss is None:
        return None
    accuracy = None
    if validation.correct is not None:
        accuracy = stratified(validation.correct, validation.label, probe.epoch_class_counts)
    return Stratified(*loss, *(accuracy or (None, None, None)))


def _mistakes(probe: TrainingProbe, validation: ValidationProbe, strata: FloatArray) -> Mistakes | None:
    if probe.accuracy is None or validation.correct is None or probe.loss.is_of_batches:
        return None
    return split_mistakes(
        side_mistakes(probe.loss.inference, probe.accuracy.inference, strata),
        side_mistakes(validation.loss, validation.correct, np.ones(validation.loss.size)),
    )


def _counts(probe: TrainingProbe, validation: ValidationProbe) -> tuple[IntArray, IntArray] | None:
    train, valid = probe.epoch_class_counts, validation.class_counts
    if train is None or valid is None:
        return None
    size = max(train.size, valid.size)
    return np.pad(train, (0, size - train.size)), np.pad(valid, (0, size - valid.size))


def _classes(probe: TrainingProbe, validation: ValidationProbe, strata: FloatArray) -> Classes | None:
    counts = _counts(probe, validation)
    if counts is None or not has_classes(probe.predicted) or not has_classes(validation.predicted):
        return None
    size = max(counts[0].size, int(probe.predicted.max()) + 1, int(validation.predicted.max()) + 1)
    train, valid = (np.pad(side, (0, size - side.size)) for side in counts)
    ones = np.ones(validation.label.size)
    return describe_classes(
        (train, *recall_and_precision(probe.label, probe.predicted, strata, size)),
        (valid, *recall_and_precision(validation.label, validation.predicted, ones, size)),
        tuple(str(index) for index in range(size)),
    )


def _baseline(probe: TrainingProbe, validation: ValidationProbe) -> Baseline | None:
    counts = _counts(probe, validation)
    return baseline(*counts) if counts and probe.loss.in_nats else None
