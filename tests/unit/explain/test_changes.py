"""Markers on the timeline: real changes of the explanation have one each, noise has none."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app.snapshots import explanation
from tui_monitor.explain.measure import Moment, explain_probe
from tui_monitor.explain.samples.probes import Averaging, PerSampleMetric, TrainingProbe, ValidationProbe, Weighting
from tui_monitor.explain.watch.changes import CauseWatch, Change
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Cause, Ledger, Term, Verdict


def told(*explanations: Explanation) -> list[str]:
    """Return the sentences of a run's epochs, in order."""
    watch = CauseWatch()
    return [change.sentence for one in explanations for change in watch.take(one)]


def _with_main(cause: Cause | None, effect: float = 0.189, half: float = 0.006, *, noisy: bool = False) -> Explanation:
    gap = effect if cause else 0.004
    terms = tuple(
        Term(each, effect, effect - half, effect + half, Verdict.MAIN)
        if each is cause
        else Term(each, 0.0, -0.001, 0.001, Verdict.RULED_OUT)
        for each in Cause
    )
    return explanation(paradox=False, accuracy=None, loss=Ledger(gap, gap - 0.015, gap + 0.015, noisy, terms))


def test_a_cause_that_takes_over_is_told_once_with_its_amount() -> None:
    """The first main cause and each that replaces it have one sentence; epochs that agree have none."""
    weights, dropout = _with_main(Cause.SAMPLE_WEIGHTS), _with_main(Cause.TRAIN_MODE_LAYERS, 0.31)
    assert told(weights, weights, dropout, dropout) == [
        "Class or sample weights are the main cause of the loss gap (+0.19).",
        "Dropout or batch norm is now the main cause of the loss gap (+0.31).",
    ]


def test_a_cause_that_flickers_is_not_told() -> None:
    """A cause near the noise that is main every other epoch leaves no marker; two epochs in a row do."""
    faint, nothing = _with_main(Cause.WITHIN_CLASS, 0.016, 0.010), _with_main(None, noisy=True)
    assert faint.loss is not None
    assert told(*[faint, nothing] * 10) == []
    terms = tuple(replace(term, verdict=Verdict.CANNOT_TELL) for term in faint.loss.terms)
    lingering = replace(faint, loss=replace(faint.loss, terms=terms, within_noise=True))
    assert len(told(nothing, faint, faint, *[lingering, lingering, faint] * 5)) == 1
    assert told(faint, faint, nothing, nothing)[-1] == "No cause of the loss gap stands out any more."


def test_the_paradox_is_told_when_it_comes_and_when_it_goes() -> None:
    """Both values lower in validation beyond chance is told, its end too; within chance neither is."""
    there = explanation()
    assert there.accuracy is not None
    gone = explanation(paradox=False, accuracy=replace(there.accuracy, gap=-0.03, low=-0.05, high=-0.01))
    sentences = told(there, there, gone, gone)
    assert sentences.count("Validation loss and validation accuracy are now both lower than in training.") == 1
    assert sentences.count("Validation loss and validation accuracy are no longer both lower than in training.") == 1
    faint = explanation(accuracy=replace(there.accuracy, gap=0.005, low=-0.01, high=0.02, within_noise=True))
    assert not any("both lower" in sentence for sentence in told(*[faint] * 5))


def _epoch(generator: np.random.Generator, epoch: int) -> Explanation:
    """Return the explanation of two sides drawn from one population."""
    batches, size = 60, 32
    label = generator.integers(0, 2, (2, batches * size))
    predicted = np.where(generator.random(label.shape) < 0.8, label, 1 - label)
    loss = np.where(
        label == predicted, generator.exponential(0.2, label.shape), generator.exponential(1.2, label.shape)
    )
    right = (label == predicted).astype(float)
    batch, ones = np.repeat(np.arange(batches), size), np.ones(batches * size)
    counts = [np.bincount(side, minlength=2) for side in label]
    probe = TrainingProbe(
        batch,
        label[0],
        predicted[0],
        ones,
        PerSampleMetric(loss[0], loss[0], loss[0], loss[0].mean(), Averaging.SAMPLES, Weighting.PER_SAMPLE),
        PerSampleMetric(right[0], right[0], right[0], right[0].mean(), Averaging.SAMPLES, Weighting.NONE),
        batches,
        counts[0],
    )
    validation = ValidationProbe(
        batch, label[1], predicted[1], ones, loss[1], right[1], loss[1].mean(), right[1].mean(), counts[1], True
    )
    return explain_probe(probe, validation, Moment("run", epoch, None, None))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_runs_without_a_cause_have_almost_no_markers(seed: int) -> None:
    """Twenty epochs of two sides from one population, drawn anew each time, leave two markers at the most."""
    generator, watch = np.random.default_rng(seed), CauseWatch()
    markers: list[Change] = []
    for epoch in range(1, 21):
        markers += watch.take(_epoch(generator, epoch))
    assert len(markers) <= 2, markers
