"""What is said of a run is what was measured: causes, directions and values, and a step that can be taken."""

import ast
import math
import re
import textwrap
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from tests.unit.explain.random_probes import PROBES, make_probe
from tests.unit.explain.reading_headlines import claims, faults, unnamed_of_like_size
from tui_monitor.explain.evidence.check_results import Check, LogitThreshold, OtherAccuracy, PaddingCounted
from tui_monitor.explain.evidence.class_shares import stratified
from tui_monitor.explain.measure import Moment, explain_probe
from tui_monitor.explain.samples.probes import TrainingProbe, ValidationProbe
from tui_monitor.explain.words.facts import Facts
from tui_monitor.explain.words.findings import findings
from tui_monitor.explain.words.text import explanation_text
from tui_monitor.run_log.events.explanation import Baseline, Classes, Explanation, explanation_to_json

Probes = tuple[TrainingProbe, ValidationProbe]
MOMENT = Moment("run", 3, None, None)


def samples(
    seed: int = 0, *, weight: float = 1.0, validation_share: float = 0.2, validation_size: int = 2000, lift: float = 0.0
) -> Probes:
    """Return two classes, the second hard and a fifth of training, in 40 batches of 50, all of them probed.

    Args:
        seed: of the samples.
        weight: class weight of the hard class.
        validation_share: share of the hard class in validation.
        validation_size: samples in validation.
        lift: nats by which training samples cost more than validation's of their class.
    """
    probe, _ = make_probe(seed, batches=40)
    generator = np.random.default_rng(seed)
    label = generator.permutation(np.arange(2000) < 400).astype(np.int64)
    loss = np.where(label == 1, 1.2, 0.3) + generator.normal(0, 0.05, 2000) + lift
    right = (generator.random(2000) > np.where(label == 1, 0.6, 0.05)).astype(float)
    weights = np.where(label == 1, weight, 1.0)
    assert probe.accuracy is not None
    train = replace(
        probe,
        batch=np.arange(2000) // 50,
        label=label,
        predicted=np.where(right == 1, label, 1 - label),
        weight=weights,
        loss=replace(probe.loss, then=loss, training=loss, inference=loss, reported=float((weights * loss).mean())),
        accuracy=replace(probe.accuracy, then=right, training=right, inference=right, reported=float(right.mean())),
        epoch_batches=40,
        epoch_class_counts=np.bincount(label),
    )
    other = (np.arange(validation_size) < round(validation_share * validation_size)).astype(np.int64)
    other_loss = np.where(other == 1, 1.2, 0.3) + generator.normal(0, 0.05, validation_size)
    other_right = (generator.random(validation_size) > np.where(other == 1, 0.6, 0.05)).astype(float)
    validation = ValidationProbe(
        batch=np.arange(validation_size) // 50,
        label=other,
        predicted=np.where(other_right == 1, other, 1 - other),
        weight=np.ones(validation_size),
        loss=other_loss,
        correct=other_right,
        reported_loss=float(other_loss.mean()),
        reported_accuracy=float(other_right.mean()),
        class_counts=np.bincount(other, minlength=2),
        complete=True,
    )
    return train, validation


def explained(probes: Probes) -> Explanation:
    """Return the explanation of an epoch's end."""
    return explain_probe(*probes, MOMENT)


@settings(max_examples=80, deadline=None)
@given(PROBES)
def test_verdict_and_headline_agree_with_the_values(probes: Probes) -> None:
    """Whatever was probed, every cause, direction and amount that is named is the JSON's, and every main cause is."""
    explanation = explained(probes)
    assert faults(explanation_to_json(explanation)) == []
    assert len(textwrap.wrap(explanation.headline, 71)) <= 3


def test_every_cause_of_like_size_is_named_in_three_lines() -> None:
    """Weights, other shares, averaging and noise of like size: the headline lists all of them with their amounts."""
    probe, validation = samples(weight=1.6, validation_share=0.35)
    loss = replace(probe.loss, then=probe.loss.then + 0.15, training=probe.loss.training + 0.13)
    probe = replace(probe, loss=replace(loss, reported=float((probe.weight * loss.then).mean())))
    explanation = explained((probe, validation))
    content = explanation_to_json(explanation)
    causes = {claim.cause for claim in claims(explanation.headline) if claim.metric == "loss"}
    assert {"sample_weights", "class_mix", "train_mode_layers"} <= causes
    assert unnamed_of_like_size(content) == []
    assert faults(content) == []
    assert len(textwrap.wrap(explanation.headline, 71)) <= 3


def test_a_third_cause_gives_its_amount_after_two_whole_clauses() -> None:
    """Where three clauses don't fit, the two that are worth most stay whole and the third cause's amount follows."""
    probe, validation = samples(weight=1.5, validation_share=0.3)
    loss = replace(probe.loss, then=probe.loss.then + 0.1)
    probe = replace(probe, loss=replace(loss, reported=float((probe.weight * loss.then).mean())))
    explanation = explained((probe, validation))
    assert "class weights raise only the training loss" in explanation.headline.lower()
    assert "which costs it" in explanation.headline
    assert re.search(r"; averaging: loss gap \+0\.1\d\d\.$", explanation.headline)
    assert unnamed_of_like_size(explanation_to_json(explanation)) == []
    assert faults(explanation_to_json(explanation)) == []


@pytest.mark.parametrize(("weight", "share"), [(1.0, 0.2), (2.0, 0.2), (1.0, 0.4), (1.3, 0.25), (2.0, 0.3)])
def test_few_causes_are_told_in_whole_clauses(weight: float, share: float) -> None:
    """One or two causes keep their clauses, with what each does, and none of like size is left out."""
    explanation = explained(samples(weight=weight, validation_share=share))
    assert " gap: " not in explanation.headline
    assert unnamed_of_like_size(explanation_to_json(explanation)) == []


def test_the_questions_own_pattern_is_told_in_three_short_lines() -> None:
    """Weights and more of the hard class: both causes with their amounts, and a step for each, within 80×24."""
    explanation = explained(samples(weight=2.0, validation_share=0.3))
    assert explanation.paradox
    assert ", yet " in explanation.verdict
    named = {(claim.cause, claim.metric, claim.sign) for claim in claims(explanation.headline)}
    assert {("sample_weights", "loss", 1), ("class_mix", "accuracy", 1)} <= named
    assert "class weights raise only the training loss" in explanation.headline.lower()
    assert explanation.next_step == (
        "Report the unweighted loss beside the weighted one; split with `stratify` and judge by recall."
    )
    assert max(len(line) for line in (explanation.verdict, explanation.next_step)) <= 2 * 72
    assert len(textwrap.wrap(explanation.headline, 71)) <= 3


def test_a_gap_within_chance_claims_no_paradox_and_says_what_would_settle_it() -> None:
    """A gap on 60 samples that chance would give: no paradox is claimed, and the samples that would settle it are."""
    for seed in range(40):
        explanation = explained(samples(seed, validation_size=60))
        assert explanation.loss is not None
        assert explanation.accuracy is not None
        if explanation.loss.within_noise and explanation.accuracy.within_noise:
            assert ", yet " not in explanation.verdict
            assert "within chance" in explanation.verdict
            chance = next(finding for finding in explanation.findings if finding.cause == "chance")
            if explanation.loss.samples_to_settle and explanation.accuracy.samples_to_settle:
                assert "validation samples" in chance.advice
            return
    raise AssertionError("no draw was within chance")


def test_no_model_is_to_be_changed_for_a_gap_within_chance() -> None:
    """Harder samples hidden by fewer of the hard class: the cause is named, its step is for gaps that grow."""
    for share, is_hidden in ((0.15, True), (0.2, False)):
        probe, validation = samples(validation_share=share, lift=-0.045)
        without = replace(probe, accuracy=None), replace(validation, correct=None, reported_accuracy=None)
        explanation = explained(without)
        assert explanation.loss is not None
        assert explanation.loss.within_noise is is_hidden
        assert "the model does worse" in explanation.headline
        assert "regularise, stop earlier" in explanation.next_step.lower()
        assert ("if they grow, regularise" in explanation.next_step.lower()) is is_hidden


def test_the_samples_that_settle_a_gap_do_settle_it() -> None:
    """With as many validation samples as asked for, four in five drawings of the same gap are beyond chance."""
    probe, validation = samples(validation_size=200, lift=0.04)
    small = explained((probe, validation)).loss
    assert small is not None
    assert small.samples_to_settle is not None
    _, large = samples(1, validation_size=small.samples_to_settle)
    ledger = explained((probe, large)).loss
    assert ledger is not None
    assert ledger.high is not None
    assert ledger.gap is not None
    assert small.gap is not None
    assert ledger.high - ledger.gap == pytest.approx(abs(small.gap) * 1.96 / 2.80, rel=0.1)


def test_what_is_not_there_is_said_plainly() -> None:
    """Equal shares with their p-value, no weights, no layer of training alone: each ruled out in a sentence."""
    sentences = " ".join(finding.sentence for finding in explained(samples()).findings)
    assert "No class or sample weights are in use: ruled out." in sentences
    assert "No layer acts differently in training (dropout, batch norm, noise): ruled out." in sentences
    assert "Class shares are equal within chance (p = " in sentences


def test_a_stratified_split_is_estimated_by_reweighting() -> None:
    """Validation at training's class shares: the weighted mean of its class means, and an interval that holds it."""
    value, low, high = stratified(np.array([0.0, 1.0, 4.0]), np.array([0, 0, 1]), np.array([3, 1])) or (math.nan,) * 3
    assert value == pytest.approx(0.75 * 0.5 + 0.25 * 4.0)
    assert low < value < high
    assert stratified(np.array([1.0]), np.array([0]), np.array([1, 1])) is None
    explanation = explained(samples(validation_share=0.4))
    assert explanation.stratified is not None
    probe, _ = samples(validation_share=0.4)
    assert probe.accuracy is not None
    assert explanation.stratified.accuracy == pytest.approx(probe.accuracy.reported, abs=0.03)
    advice = next(finding.advice for finding in explanation.findings if finding.cause == "class_mix")
    assert f"accuracy {explanation.stratified.accuracy:.3f}" in advice


def test_every_step_has_code_that_python_reads() -> None:
    """Each line of code under a finding parses, and the printed explanation shows it indented."""
    explanation = explained(samples(weight=2.0, validation_share=0.4, lift=0.3))
    codes = [finding.code for finding in explanation.findings if finding.code]
    assert codes
    for code in codes:
        ast.parse(code)
        assert all(f"      {line}" in explanation_text(explanation) for line in code.splitlines())


def test_class_weights_move_the_threshold() -> None:
    """With weights 1 and 3 the best threshold for equal costs is 3/4."""
    explanation = explained(samples(weight=3.0))
    finding = next(finding for finding in explanation.findings if finding.cause == "sample_weights")
    assert "0.75" in finding.advice
    assert "> 0.75" in finding.code


def test_a_loss_that_is_no_number_is_not_lower_or_higher() -> None:
    """The side that is NaN is named, and the headline does not speak of intervals."""
    probe, validation = samples(weight=1.0, validation_share=0.2)
    loss = np.where(np.arange(validation.loss.size) == 0, np.nan, validation.loss)
    explanation = explained((probe, replace(validation, loss=loss, reported_loss=math.nan)))
    assert "loss can't be compared (the validation side is NaN (val_loss))" in explanation.verdict
    assert "intervals" not in explanation.headline
    assert explanation.loss is not None
    assert [term.high for term in explanation.loss.terms if term.high is not None and math.isnan(term.high)] == []


def test_weights_on_both_sides_are_not_said_to_move_training_alone() -> None:
    """What is left of them is a difference between the sides."""
    probe, validation = samples(weight=2.0, validation_share=0.2)
    weights = np.where(np.arange(validation.weight.size) == 0, 1.5, validation.weight)
    headline = explained((probe, replace(validation, weight=weights))).headline
    assert "weights act otherwise on the two sides (loss gap +" in headline
    assert "only the training loss" not in headline


def test_one_weight_for_all_classes_is_no_class_weight() -> None:
    """A generator that weights every sample alike weights no class."""
    probe, validation = samples(weight=1.0, validation_share=0.2)
    loss = replace(probe.loss, reported=2.0 * float(probe.loss.then.mean()))
    headline = explained((replace(probe, weight=np.full(probe.weight.size, 2.0), loss=loss), validation)).headline
    assert headline.lower().startswith("sample weights raise only the training loss")


@pytest.mark.parametrize(
    ("check", "is_said"),
    [
        (None, True),
        (PaddingCounted(0.2, in_loss=True, train=(0.4, 0.5), validation=(0.4, 0.5)), True),
        (PaddingCounted(0.2, in_loss=False, train=(0.4, 0.5), validation=(0.4, 0.5)), False),
        (OtherAccuracy("binaryaccuracy", "one_hot", (0.8, 0.7), (0.8, 0.7)), False),
        (LogitThreshold(0.5, (0.6, 0.7), (0.6, 0.7)), False),
    ],
)
def test_the_baseline_is_compared_with_an_accuracy_of_classes_alone(check: Check | None, is_said: bool) -> None:
    """Where accuracy counts padding that has no class, or no predicted classes, it can't be compared with a share."""
    rates = (1.0, 0.0)
    facts = Facts(
        reported={"val_accuracy": 0.79},
        loss=None,
        accuracy=None,
        classes=Classes(("0", "1"), (0.8, 0.2), (0.8, 0.2), 1.0, rates, rates, rates, rates),
        baseline=Baseline(0.5, 0.8, 0.5, 0.8),
        stratified=None,
        class_weights=None,
        weights_used=False,
        is_by_class=True,
        random_mode=False,
        checks=() if check is None else (check,),
    )
    assert ("baseline" in {finding.cause for finding in findings(facts)}) is is_said
