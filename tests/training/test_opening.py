"""The within-class term opened by real trainings, against computations over all their data."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from tests.training.conftest import OpenSession
from tests.training.three_classes import BATCH, CLASSES, FEATURES, Data, build, compiled, make_data, raised, train
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.events.ledger import Cause, Ledger, Term, Verdict
from tui_monitor.training.probe.opening import near, opening

Array = np.ndarray
OPENED = (Cause.LEAKED, Cause.INPUT_SCALE, Cause.UNFAMILIAR, Cause.MEMORISED)


@pytest.fixture(autouse=True)
def _there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the few hundredths of a second that opening may take end before it has looked at anything."""
    monkeypatch.setattr(opening, "_LEAST_SECONDS", 60.0)


def losses(model: keras.Model, x: Array, y: Array) -> Array:
    """Return each sample's loss in inference mode, in float64."""
    outputs = keras.ops.convert_to_numpy(model(x, training=False)).astype(np.float64)
    return np.asarray(np.logaddexp.reduce(outputs, axis=1) - outputs[np.arange(len(y)), y])


def right(model: keras.Model, x: Array, y: Array) -> Array:
    """Return 1 for each sample that the model gets right."""
    return (keras.ops.convert_to_numpy(model(x, training=False)).argmax(axis=1) == y).astype(float)


def at_shares_of(values: Array, labels: Array, shares_of: Array) -> float:
    """Return the mean of values with other class shares."""
    shares = np.bincount(shares_of, minlength=CLASSES) / shares_of.size
    return float(sum(share * values[labels == c].mean() for c, share in enumerate(shares)))


def term(explanation: Explanation, cause: Cause, figure: str = "loss") -> Term:
    """Return one term."""
    book: Ledger = getattr(explanation, figure)
    return next(entry for entry in book.terms if entry.cause is cause)


def assert_adds_up(explanation: Explanation) -> None:
    """Check that terms add up to the gap, and that one without an amount says why."""
    for book in (explanation.loss, explanation.accuracy):
        assert book is not None
        assert sum(entry.effect or 0.0 for entry in book.terms) == pytest.approx(book.gap, abs=1e-9)
        assert all((entry.effect is None) == bool(entry.reason) for entry in book.terms)


@pytest.mark.parametrize("values", [losses, right])
def test_a_leak_is_what_validation_without_its_copies_would_show(
    open_session: OpenSession, values: Callable[..., Array]
) -> None:
    """The term is the mean without the copies, at validation's class shares, minus the mean with them, exactly."""
    data = make_data()
    copied = 240
    data.validation_x[:copied], data.validation_y[:copied] = data.x[:copied], data.y[:copied]
    model = build()
    last = train(open_session, model, data, 8)[-1]
    measured = values(model, data.validation_x, data.validation_y)
    without = at_shares_of(measured[copied:], data.validation_y[copied:], data.validation_y)
    found = term(last, Cause.LEAKED, "loss" if values is losses else "accuracy")
    assert found.effect == pytest.approx(without - measured.mean(), abs=2e-5)
    assert found.low is not None
    assert found.high is not None
    assert found.low - 1e-6 <= (found.effect or 0.0) <= found.high + 1e-6
    assert_adds_up(last)
    assert last.opened is not None
    leak = last.opened.leak
    assert leak is not None
    assert (leak.copies, leak.fraction, leak.same_label) == (copied, copied / 800, 1.0)
    assert [example.validation for example in leak.examples] == list(range(20))


@pytest.mark.parametrize("values", [losses, right])
def test_copies_with_noise_are_a_leak_too(open_session: OpenSession, values: Callable[..., Array]) -> None:
    """Copies whose inputs have changed a little are found, each of them, and cost what leaving them out would show."""
    data = make_data(noise=1.5)
    copied, generator = 200, np.random.default_rng(1)
    noise = generator.normal(0.0, 0.02, (copied, FEATURES))
    data.validation_x[:copied], data.validation_y[:copied] = data.x[:copied] + noise, data.y[:copied]
    # Some of them are exact.
    data.validation_x[:20] = data.x[:20]
    model = build()
    last = train(open_session, model, data, 6)[-1]
    measured = values(model, data.validation_x, data.validation_y)
    without = at_shares_of(measured[copied:], data.validation_y[copied:], data.validation_y)
    found = term(last, Cause.LEAKED, "loss" if values is losses else "accuracy")
    assert found.effect == pytest.approx(without - measured.mean(), abs=2e-5)
    assert_adds_up(last)
    assert last.opened is not None
    leak = last.opened.leak
    assert leak is not None
    assert (leak.copies, leak.near, leak.fraction) == (copied, copied - 20, copied / 800)
    sentence = next(finding.sentence for finding in last.findings if finding.cause == "copies")
    assert "20 of them input for input, the others with small changes" in sentence


def test_without_copies_the_leak_is_bounded(open_session: OpenSession) -> None:
    """From the second epoch on no copy found means 0, and at most what 3 copies in a validation set could do."""
    first, second = train(open_session, build(), make_data(), 2)
    assert term(first, Cause.LEAKED).effect is None
    found = term(second, Cause.LEAKED)
    assert (found.effect, found.low) == (0.0, 0.0)
    assert found.high is not None
    assert 0 < found.high < 0.01
    assert second.opened is not None
    assert second.opened.leak is not None
    assert second.opened.leak.fraction_high == pytest.approx(3 / 800)
    assert_adds_up(first)
    assert_adds_up(second)


SCALES: list[tuple[Callable[[Array], Array], Callable[[Array], Array], str, str]] = [
    (lambda x: (x + 8) / 16, lambda x: (x + 8) / 16 * 255, "x / 255", "run from 0 to 255"),
    (lambda x: x / 8, lambda x: (x / 8 + 1) * 127.5, "x / 127.5 - 1", "run from 0 to 255"),
    (lambda x: (x - x.mean(0)) / x.std(0), lambda x: x, "", "not standardised"),
    (lambda x: x - x.mean(0), lambda x: x + 3, "", "not centred"),
]
"""What training's and validation's inputs become, the pattern that is found, and a part of its words."""


def test_no_leak_is_ruled_out_by_a_part_of_training(open_session: OpenSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as changed copies were looked for in a quarter of training alone, the leak has no amount."""
    monkeypatch.setattr(near, "_MOST_PAIRS", 150 * 800)
    last = train(open_session, build(), make_data(), 2)[-1]
    found = term(last, Cause.LEAKED)
    assert found.effect is None
    assert "look through all of training" in found.reason


@pytest.mark.parametrize(("of_training", "of_validation", "pattern", "words"), SCALES)
def test_a_scale_is_what_rightly_scaled_inputs_would_show(
    open_session: OpenSession,
    of_training: Callable[[Array], Array],
    of_validation: Callable[[Array], Array],
    pattern: str,
    words: str,
) -> None:
    """The term is validation's mean loss with inputs prepared as training's, minus that with inputs as fed."""
    plain = make_data()
    # Not at the origin, so that a mean that nobody subtracts is felt.
    x, other = plain.x + 1.5, plain.validation_x + 1.5
    prepared = of_training(np.concatenate([x, other])).astype(np.float32)
    data = Data(prepared[: len(x)], plain.y, of_validation(other).astype(np.float32), plain.validation_y)
    model = build()
    last = train(open_session, model, data, 3)[-1]
    should = losses(model, prepared[len(x) :], data.validation_y).mean()
    fed = losses(model, data.validation_x, data.validation_y).mean()
    found = term(last, Cause.INPUT_SCALE)
    assert found.effect == pytest.approx(should - fed, rel=0.02 if pattern else 0.05, abs=0.01)
    assert found.verdict is Verdict.MAIN
    assert last.opened is not None
    assert last.opened.scale is not None
    assert last.opened.scale.pattern == pattern
    assert words in last.opened.scale.pattern_name
    assert_adds_up(last)


def test_a_scale_that_costs_nothing_is_ruled_out(open_session: OpenSession) -> None:
    """Inputs that differ but that the model puts on one scale itself are no cause: mapping them does not help."""
    data = make_data()
    shifted = Data(data.x, data.y, data.validation_x * 5, data.validation_y)
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Input((FEATURES,)),
        keras.layers.UnitNormalization(),
        keras.layers.Dense(CLASSES),
    ]
    model = compiled(layers, 0.001)
    last = train(open_session, model, shifted, 2)[-1]
    assert term(last, Cause.INPUT_SCALE).verdict is Verdict.RULED_OUT
    assert last.opened is None or last.opened.scale is None


def test_different_data_are_measured_before_anything_is_memorised(open_session: OpenSession) -> None:
    """The test has what a model shows that was trained on the batches before the copy alone, on those that follow."""
    data = make_data(noise=1.6)
    data.validation_y[:240] = (data.validation_y[:240] + 1) % CLASSES
    told = train(open_session, build(), data, 6, shuffle=False)
    steps = len(data.x) // BATCH
    before = steps // 2 * BATCH
    as_then = build()
    as_then.fit(data.x[:before], data.y[:before], batch_size=BATCH, shuffle=False, verbose=0)
    for explanation in told:
        test = explanation.opened.fresh if explanation.opened is not None else None
        assert test is not None
        assert (test.batches_before, test.train_samples) == (steps // 2, len(data.x) - before)
        assert test.train_loss == pytest.approx(losses(as_then, data.x[before:], data.y[before:]).mean(), abs=2e-5)
        other = losses(as_then, data.validation_x, data.validation_y)
        assert test.validation_loss == pytest.approx(other.mean(), abs=2e-5)
    assert term(told[0], Cause.UNFAMILIAR).verdict is Verdict.MAIN
    for explanation in told:
        assert term(explanation, Cause.WITHIN_CLASS).effect == 0.0
        assert_adds_up(explanation)


def test_a_model_that_begins_to_learn_late_is_tested_late(open_session: OpenSession) -> None:
    """Where the first half of the epoch taught it next to nothing, the test is made after three quarters."""
    data, steps = make_data(noise=1.0), 30
    late = keras.optimizers.schedules.PiecewiseConstantDecay([steps // 2 + 4], [0.0, 0.05])
    explanation = train(open_session, build(rate=late), data, 2)[-1]
    test = explanation.opened.fresh if explanation.opened is not None else None
    assert test is not None
    assert test.batches_before == round(0.75 * steps)


def test_different_data_cost_what_they_cost_an_unseen_sample(open_session: OpenSession) -> None:
    """The term is near what unseen samples of training's own source show, against validation, at the weights of now."""
    source = make_data(samples=20_000, validation=800, noise=1.6)
    data = Data(source.x[:1200], source.y[:1200], source.validation_x, source.validation_y)
    data.validation_y[:200] = (data.validation_y[:200] + 1) % CLASSES
    model = build()
    last = train(open_session, model, data, 8)[-1]
    unseen = losses(model, source.x[1200:], source.y[1200:])
    expected = at_shares_of(unseen, source.y[1200:], data.validation_y)
    expected -= losses(model, data.validation_x, data.validation_y).mean()
    found = term(last, Cause.UNFAMILIAR)
    assert found.effect is not None
    assert found.effect == pytest.approx(expected, rel=0.35)
    assert found.verdict in (Verdict.MAIN, Verdict.CONTRIBUTES)


def test_memorised_samples_are_the_rest(open_session: OpenSession) -> None:
    """A small training set learned by heart: the growth of the gap since the fresh-batch test, and the main cause."""
    data = make_data(samples=400, noise=3.0)
    last = train(open_session, build(width=256), data, 25)[-1]
    assert term(last, Cause.MEMORISED).verdict is Verdict.MAIN
    assert term(last, Cause.UNFAMILIAR).verdict in (Verdict.CANNOT_TELL, Verdict.RULED_OUT)
    assert_adds_up(last)


def test_inputs_that_hardly_overlap_give_no_amount(open_session: OpenSession) -> None:
    """Where validation's inputs lie elsewhere, that is said, and neither cause gets an amount."""
    data = make_data(noise=1.0)
    elsewhere = Data(data.x, data.y, (data.validation_x * 0.1).astype(np.float32), data.validation_y)
    keras.utils.set_random_seed(3)
    # On the unit sphere a scale costs nothing, so that nothing else is found first.
    layers = [keras.layers.Input((FEATURES,)), keras.layers.UnitNormalization(), keras.layers.Dense(CLASSES)]
    last = train(open_session, compiled(layers, 0.01), elsewhere, 2)[-1]
    for cause in (Cause.UNFAMILIAR, Cause.MEMORISED):
        assert "tells validation's inputs from training's" in term(last, cause).reason
    assert_adds_up(last)


def test_a_model_trained_before_has_no_fresh_batches(open_session: OpenSession) -> None:
    """In a second fit no batch is known to be new, so neither different data nor memorised samples get an amount."""
    data = make_data()
    model = build()
    train(open_session, model, data, 1)
    for explanation in train(open_session, model, data, 2):
        for cause in (Cause.UNFAMILIAR, Cause.MEMORISED):
            assert "had been trained before" in term(explanation, cause).reason
        assert_adds_up(explanation)


def test_healthy_runs_open_nothing(open_session: OpenSession) -> None:
    """With nothing planted no part of the within-class term is named, in any of a few runs."""
    for seed in range(3):
        last = train(open_session, build(width=8, rate=0.003), make_data(samples=3000, seed=seed), 2)[-1]
        for book in (last.loss, last.accuracy):
            assert book is not None
            named = [entry.cause for entry in book.terms if entry.verdict is Verdict.MAIN and entry.cause in OPENED]
            assert named == []


def _with_batch_norm(momentum: float, dropout: float = 0.0) -> keras.Model:
    keras.utils.set_random_seed(3)
    layers: list[Any] = [keras.layers.Input((FEATURES,)), keras.layers.Dense(32)]
    layers += [keras.layers.BatchNormalization(momentum=momentum), keras.layers.ReLU()]
    layers += [keras.layers.Dropout(dropout)] if dropout else []
    return compiled([*layers, keras.layers.Dense(CLASSES)], 0.01)


def _statistics_of_now(model: keras.Model, data: Data) -> tuple[Array, Array]:
    """Return mean and variance of what is normalised, over all of training."""
    values = np.asarray(model.layers[0](data.x)).astype(np.float64)
    return values.mean(axis=0), values.var(axis=0)


def test_batch_norm_is_told_apart_into_lag_and_noise(open_session: OpenSession) -> None:
    """Lag is inference with statistics of all of training against the moving ones; noise is each batch's own."""
    data = make_data()
    model = _with_batch_norm(0.99)
    last = train(open_session, model, data, 2, shuffle=False)[-1]
    found = term(last, Cause.TRAIN_MODE_LAYERS)
    layer = model.layers[1]
    mean, variance = _statistics_of_now(model, data)
    moving = losses(model, data.x, data.y).mean()
    layer.moving_mean.assign(mean)
    layer.moving_variance.assign(variance)
    anew, validation = losses(model, data.x, data.y).mean(), losses(model, data.validation_x, data.validation_y).mean()
    parts = {part.kind: part.effect for part in found.parts}
    assert set(parts) == {"batch_norm_lag", "batch_norm_noise"}
    assert parts["batch_norm_lag"] == pytest.approx(anew - moving, abs=1e-3)
    assert sum(parts.values()) == pytest.approx(found.effect, abs=1e-9)
    assert last.opened is not None
    assert last.opened.batch_norm is not None
    assert last.opened.batch_norm.val_loss == pytest.approx(validation, abs=1e-3)


def test_dropout_beside_batch_norm_is_a_part_of_its_own(open_session: OpenSession) -> None:
    """With both, three parts add up to the term, and dropout's raises the training loss."""
    last = train(open_session, _with_batch_norm(0.9, dropout=0.5), make_data(), 3)[-1]
    found = term(last, Cause.TRAIN_MODE_LAYERS)
    parts = {part.kind: part.effect for part in found.parts}
    assert set(parts) == {"batch_norm_lag", "batch_norm_noise", "dropout"}
    assert sum(parts.values()) == pytest.approx(found.effect, abs=1e-9)
    assert parts["dropout"] > 0


def test_swapped_classes_lead_the_story(open_session: OpenSession) -> None:
    """Two classes swapped in validation alone: the finding names them, and headline and advice follow it."""
    data = make_data(noise=0.7)
    swapped = Data(data.x, data.y, data.validation_x, np.array([0, 2, 1])[data.validation_y])
    last = train(open_session, build(), swapped, 3)[-1]
    assert raised(last) == {"label_map"}
    assert "mean other classes" in last.headline
    assert "one list of classes" in last.next_step


def test_training_sorted_by_class_is_found(open_session: OpenSession) -> None:
    """Batches of a training set that is sorted and not shuffled raise that check alone."""
    data = make_data()
    order = np.argsort(data.y, kind="stable")
    data = Data(data.x[order], data.y[order], data.validation_x, data.validation_y)
    assert raised(train(open_session, build(), data, 2, shuffle=False)[-1]) == {"not_shuffled"}
    assert raised(train(open_session, build(), data, 2)[-1]) == set()


def test_validation_drawn_anew_is_found(open_session: OpenSession) -> None:
    """A validation that gives other samples in each epoch is said to, with how many were there before."""
    data = make_data()
    generator = np.random.default_rng(0)

    def batches() -> Any:
        while True:
            chosen = generator.integers(0, 800, BATCH)
            yield data.validation_x[chosen], data.validation_y[chosen]

    arguments = {"validation_data": batches(), "validation_steps": 5}
    first, second = train(open_session, build(), data, 2, **arguments)
    assert "validation_changes" not in raised(first)
    assert "validation_changes" in raised(second)


@pytest.mark.parametrize("ends_in_sigmoid", [False, True])
def test_outputs_and_metric_of_two_classes(open_session: OpenSession, ends_in_sigmoid: bool) -> None:
    """Accuracy with its threshold on logits is counted anew at one half; a sigmoid under `from_logits` is found."""
    plain = make_data(noise=1.5)
    data = Data(plain.x, (plain.y > 0).astype(float), plain.validation_x, (plain.validation_y > 0).astype(float))
    keras.utils.set_random_seed(3)
    layers = [keras.layers.Input((FEATURES,)), keras.layers.Dense(1, activation="sigmoid" if ends_in_sigmoid else None)]
    model = keras.Sequential(layers)
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
    last = train(open_session, model, data, 2)[-1]
    assert raised(last) == ({"output_scale", "metric_threshold"} if ends_in_sigmoid else {"metric_threshold"})
    if not ends_in_sigmoid:
        logits = keras.ops.convert_to_numpy(model(data.validation_x))[:, 0]
        anew = float(((logits > 0) == (data.validation_y == 1)).mean())
        finding = next(finding for finding in last.findings if finding.cause == "metric_threshold")
        assert f"validation accuracy is {100 * anew:.1f} %" in finding.sentence


def test_labels_that_the_loss_leaves_out_end_no_measurement(open_session: OpenSession) -> None:
    """They are a class of their own at the fresh-batch test, too: every epoch is measured, and its parts add up."""
    data = make_data()
    y, other = (np.where(labels == CLASSES - 1, -1, labels) for labels in (data.y, data.validation_y))
    model = build()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    for explanation in train(open_session, model, Data(data.x, y, data.validation_x, other), 3):
        assert explanation.evidence == "probe"
        assert explanation.loss is not None
        assert explanation.loss.gap == pytest.approx(sum(term.effect or 0.0 for term in explanation.loss.terms))
