"""Kinds of model × what is promised of each, every cell against a computation that is not ours."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.training.kinds.table import BATCH, BY_BATCH, BY_SAMPLE, EPOCHS, KINDS, TRAINED
from tests.training.kinds.trained import TRAIN, VALID, Trained, part, train

TOLERANCE = 2e-5


@pytest.fixture(scope="module", params=KINDS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train one kind."""
    return train(request.param, KINDS[request.param], tmp_path_factory.mktemp("kinds") / "run")


def test_training_is_what_it_is_without_us(trained: Trained) -> None:
    """Weights, optimizer, random states and logs are bit for bit those of a training that nobody records."""
    for bare, recorded in zip(trained.state, trained.recorded_state, strict=True):
        np.testing.assert_array_equal(bare, recorded)
    # In the last epoch the bare training's metrics begin anew with each batch.
    assert {name: values[0] for name, values in trained.logs.items()} == {
        name: values[0] for name, values in trained.recorded_logs.items()
    }
    assert set(trained.logs) == set(trained.recorded_logs)


def test_batch_values_are_the_batch_s_or_marked(trained: Trained) -> None:
    """Every batch of the last epoch equals what Keras says of it when its metrics begin anew; others are marked."""
    fit = trained.fit
    assert fit.info.running_means == trained.kind.running
    assert [row.batches for row in fit.epochs] == [-(-TRAINED // BATCH)] * EPOCHS
    steps = len(trained.batches)
    names = set(trained.batches[0]) if steps else set()
    assert set(fit.info.metrics) == names
    for name in names - set(trained.kind.running) if trained.kind.has_all_batches else ():
        expected = [batch[name] for batch in trained.batches]
        values = fit.series[name].values()[-len(expected) :]
        np.testing.assert_allclose(values, expected, rtol=TOLERANCE, atol=1e-6, err_msg=name)


def test_recording_never_ends_and_says_what_it_can_t_measure(trained: Trained) -> None:
    """No alert tells of an end; the last epoch has a ledger, or the sentence that the table expects."""
    assert not [text for text in trained.alerts if "stopped" in text or "failed" in text or "running means" in text]
    content, kind = trained.explanation, trained.kind
    said = " ".join([*content["limits"], content["verdict"]])
    assert kind.says in said
    by_batch = "measured by whole batches" in said
    if kind.explained not in (BY_SAMPLE, BY_BATCH):
        assert kind.explained in said
        assert content["loss"] is None or content["evidence"] == "log"
    else:
        assert content["evidence"] == "probe", said
        assert by_batch == (kind.explained == BY_BATCH), said
    assert tuple(output["name"] for output in content.get("outputs", ())) == kind.outputs


def test_terms_are_those_of_an_independent_computation(trained: Trained) -> None:
    """Terms add up to the gap, and those of the bare model's own evaluation and outputs are found again."""
    kind, content = trained.kind, trained.explanation
    if kind.explained not in (BY_SAMPLE, BY_BATCH):
        return
    ledger = content["loss"]
    terms = {term["cause"]: term["effect"] for term in ledger["terms"]}
    reported = {name: values[-1] for name, values in trained.recorded_logs.items()}
    gap = reported["loss"] - reported["val_loss"]
    scale = TOLERANCE * max(1.0, abs(reported["loss"]), abs(reported["val_loss"]))
    assert ledger["gap"] == pytest.approx(gap, abs=scale)
    assert sum(effect for effect in terms.values() if effect is not None) == pytest.approx(
        gap, abs=1e-9 + 1e-9 * abs(gap)
    )
    assert terms["measurement"] == pytest.approx(0.0, abs=scale)
    if not kind.is_fixed or not kind.has_all_batches:
        return
    assert terms["train_mode_layers"] == pytest.approx(0.0, abs=scale)
    evaluated = _evaluated(trained)
    assert terms["in_epoch_averaging"] == pytest.approx(reported["loss"] - evaluated, abs=2 * scale)
    if kind.explained == BY_BATCH:
        assert terms["class_mix"] is None
        assert terms["sample_weights"] == pytest.approx(evaluated - _evaluated(trained, weighted=False), abs=2 * scale)
    if kind.loss is not None:
        assert terms["within_class"] == pytest.approx(_within_class(trained), abs=2 * scale)


def _evaluated(trained: Trained, *, weighted: bool = True) -> float:
    """Return the loss of the training data at the last weights, batch for batch as training reports it."""
    kind = trained.kind
    weight = part(kind.weight, TRAIN) if weighted else None
    if weighted and "class_weight" in kind.fit:
        weight = np.array([kind.fit["class_weight"][int(label)] for label in kind.y[TRAIN]], "float32")
    found: Mapping[str, float] = trained.bare.evaluate(
        part(kind.x, TRAIN), part(kind.y, TRAIN), batch_size=BATCH, sample_weight=weight, verbose=0, return_dict=True
    )
    return float(found["loss"])


def _within_class(trained: Trained) -> float:
    """Return training's mean loss at validation's class shares, minus validation's, each unit counting the same."""
    kind = trained.kind
    outputs = trained.bare(kind.x, training=False)
    while isinstance(outputs, dict | list):
        outputs = next(iter(outputs.values())) if isinstance(outputs, dict) else outputs[0]
    targets: Any = next(iter(kind.y.values())) if isinstance(kind.y, dict) else kind.y
    assert kind.loss is not None
    losses = kind.loss(targets, np.asarray(outputs)).reshape(len(targets), -1)
    counted = np.ones(losses.shape, bool) if kind.counted is None else np.asarray(kind.counted).reshape(losses.shape)
    classes = np.zeros(losses.shape) if kind.classes is None else np.asarray(kind.classes).reshape(losses.shape)
    train, valid = ((losses[rows][counted[rows]], classes[rows][counted[rows]]) for rows in (TRAIN, VALID))
    return sum(
        float((valid[1] == each).mean() * train[0][train[1] == each].mean()) for each in np.unique(valid[1])
    ) - float(valid[0].mean())
