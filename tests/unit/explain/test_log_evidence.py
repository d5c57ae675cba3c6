"""What the question's own printed values prove, exclude and leave open."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.explain.from_log import explain_from_log
from tui_monitor.explain.recorded_facts import RecordedFit
from tui_monitor.explain.words.text import explanation_text
from tui_monitor.run_log.events.explanation import Explanation, explanation_to_json
from tui_monitor.run_log.events.ledger import Cause

QUESTION = {"loss": 0.6356, "accuracy": 0.8289, "val_loss": 0.4981, "val_accuracy": 0.7760}


def test_the_question_excludes_averaging_dropout_and_leakage_alone() -> None:
    """(+, +) is not explained by causes that raise one value and lower the other."""
    content = explanation_to_json(explain_from_log("question", 5, QUESTION, class_shares=(0.8, 0.2)))
    assert content["paradox"] is True
    assert content["evidence"] == "log"
    excluded = {finding["cause"] for finding in content["findings"] if finding["verdict"] == "excluded alone"}
    assert {"in_epoch_averaging", "dropout", "leakage", "class_mix"} <= excluded
    assert "train_mode_layers" not in excluded, "batch norm may do anything"
    assert "averaging, dropout or leakage alone" in content["headline"]
    assert all(term["effect"] is None for term in content["loss"]["terms"])
    verdicts = {term["verdict"] for name in ("loss", "accuracy") for term in content[name]["terms"]}
    assert verdicts == {"cannot tell"}, "only what was measured is ruled out"


def test_the_question_is_compared_with_a_majority_class_baseline() -> None:
    """With 80/20 shares training loss is above the majority-class baseline's 0.500, but accuracy beats 0.800."""
    sentences = " ".join(
        finding.sentence for finding in explain_from_log("q", 5, QUESTION, class_shares=(0.8, 0.2)).findings
    )
    assert (
        "above what a majority-class baseline scores (0.500) though its accuracy 0.829 is above the majority"
        in sentences
    )
    assert "at the majority-class baseline in loss (0.498 against 0.500) and below it in accuracy (0.776" in sentences
    assert "count each batch the same, while validation counts each sample" in sentences
    assert "tui-monitor run" in explain_from_log("q", 5, QUESTION).next_step


@given(
    loss=st.floats(0, 5) | st.just(math.nan),
    accuracy=st.floats(0, 1),
    val_loss=st.floats(0, 5) | st.just(math.inf),
    val_accuracy=st.floats(0, 1),
)
def test_any_values_give_readable_text(loss: float, accuracy: float, val_loss: float, val_accuracy: float) -> None:
    """No values, finite or not, keep the explanation from being printed."""
    metrics = {"loss": loss, "accuracy": accuracy, "val_loss": val_loss, "val_accuracy": val_accuracy}
    assert explanation_text(explain_from_log("run", 1, metrics))


def test_a_loss_below_its_bound_is_proved_inconsistent() -> None:
    """Half the answers wrong can't cost less than half of ln 2 on the same samples."""
    explanation = explain_from_log("run", 1, {"loss": 0.1, "accuracy": 0.5})
    assert [finding.verdict for finding in explanation.findings][:1] == ["proved"]


@pytest.mark.parametrize(
    ("loss", "begins"),
    [
        ("", "For a cross-entropy on hard labels, the training loss"),
        ("sparse_categorical_crossentropy", "On hard labels, the training loss"),
        ("BinaryCrossentropy", "On hard labels, the training loss"),
        ("mse", None),
        ("BinaryFocalCrossentropy", None),
    ],
)
def test_a_bound_is_proved_for_cross_entropy_alone(loss: str, begins: str | None) -> None:
    """A run knows its loss: of another one nothing is proved; a log names none, so the condition is said."""
    recorded = RecordedFit(loss=loss) if loss else None
    findings = explain_from_log("run", 1, {"loss": 0.1, "accuracy": 0.5}, recorded=recorded).findings
    bounds = [finding.sentence for finding in findings if finding.cause == "bound"]
    assert [sentence.startswith(str(begins)) for sentence in bounds] == ([] if begins is None else [True])


@pytest.mark.parametrize(
    ("recorded", "measured", "said", "advice"),
    [
        (None, None, "a log holds no samples to measure", "tui-monitor run"),
        (RecordedFit(), None, "this fit was not measured", ""),
        (RecordedFit(why_unmeasured="measuring is off", advice="Turn it on."), None, "measuring is off", "Turn it on."),
        (RecordedFit(fit=2), 3, "this epoch was not measured", "`tui-monitor explain run --fit 2 --epoch 3`"),
    ],
)
def test_why_nothing_is_measured_is_true_of_the_run(
    recorded: RecordedFit | None, measured: int | None, said: str, advice: str
) -> None:
    """What was trained under the monitor is not told to train under it, and what Keras 2 did is said of logs alone."""
    metrics = {"loss": 0.5, "val_loss": 0.6}
    explanation = explain_from_log("run", 1, metrics, measured_epoch=measured, recorded=recorded)
    assert said in explanation.headline
    assert explanation.next_step.startswith(advice) or advice in explanation.next_step
    assert ("tui-monitor run" in explanation.next_step) is (recorded is None)
    assert any("Keras 2" in finding.sentence for finding in explanation.findings) is (recorded is None)


def test_a_loss_that_is_nan_is_called_so_beside_an_accuracy() -> None:
    """The side that is NaN is named, and nothing is said of a gap of the loss."""
    metrics = {"loss": math.nan, "val_loss": 0.5, "accuracy": 0.5, "val_accuracy": 0.6}
    verdict = explain_from_log("run", 1, metrics).verdict
    assert verdict == (
        "Validation loss can't be compared (the training side is NaN (loss)), accuracy is 10.0 points higher."
    )


def test_batch_norm_that_lags_is_not_excluded_by_signs() -> None:
    """Moving statistics that lag raise validation's loss and lower its accuracy: (−, +)."""
    metrics = {"loss": 0.1, "val_loss": 0.9, "accuracy": 0.95, "val_accuracy": 0.5}
    findings = explain_from_log("run", 1, metrics).findings
    assert Cause.TRAIN_MODE_LAYERS not in [found.cause for found in findings if found.verdict == "excluded alone"]


def _table(*rows: tuple[float, float, float, float]) -> list[dict[str, float]]:
    """Return epochs of (loss, accuracy, val_loss, val_accuracy)."""
    return [dict(zip(("loss", "accuracy", "val_loss", "val_accuracy"), row, strict=True)) for row in rows]


def _explained(epochs: list[dict[str, float]]) -> Explanation:
    return explain_from_log("table", len(epochs), epochs[-1], before=epochs[:-1])


def _of(explanation: Explanation, verdict: str) -> dict[str, str]:
    return {finding.cause: finding.sentence for finding in explanation.findings if finding.verdict == verdict}


def test_a_validation_accuracy_of_one_third_names_batch_norm_and_inputs() -> None:
    """Eight epochs at exactly 1/3 beside a perfect training accuracy: one class always; train mode is not excluded."""
    explanation = _explained(_table(*[(0.5 - 0.06 * i, 0.9 + i / 70, 3 + i / 3, 0.3333) for i in range(8)]))
    sentence = _of(explanation, "suggests")["one_class"]
    assert "exactly 1/3 for 8 epochs" in sentence
    assert "batch norm" in sentence
    assert "batch norm's moving statistics" in explanation.headline
    assert "train_mode_layers" not in _of(explanation, "excluded alone")


def test_validation_loss_and_accuracy_that_rise_together_are_no_contradiction() -> None:
    """More answers are right, and the wrong ones are given with more certainty."""
    explanation = _explained(_table((0.41, 0.83, 0.52, 0.78), (0.19, 0.93, 0.63, 0.81)))
    assert "no contradiction" in _of(explanation, "suggests")["surer_mistakes"]
    assert "no contradiction" in explanation.headline


def test_a_validation_that_is_better_in_the_first_epoch_is_averaging_or_dropout() -> None:
    """Both fit, the first shrinks and the second stays: the headline says so, and excludes neither."""
    explanation = _explained(_table((0.98, 0.61, 0.55, 0.80)))
    assert "the first shrinks from epoch to epoch, the second stays" in explanation.headline
    assert not {"in_epoch_averaging", "dropout"} & set(_of(explanation, "excluded alone"))


def test_a_validation_accuracy_of_one_half_names_inputs() -> None:
    """Exactly 1/2 beside a perfect training accuracy: inputs prepared otherwise are among the usual causes."""
    explanation = _explained(_table((0.01, 1.0, 4.2, 0.5)))
    assert "prepares otherwise" in _of(explanation, "suggests")["one_class"]
    assert "input_scale" not in _of(explanation, "excluded alone")


def test_a_leak_is_not_excluded_where_validation_is_better() -> None:
    """Validation of 99 % beside a training accuracy below it may be a leak, and is not called anything else."""
    explanation = _explained(_table((0.11, 0.96, 0.03, 0.99)))
    assert "leaked" not in _of(explanation, "excluded alone")
    assert "does not tell the cause" in explanation.headline or "averaging" in explanation.headline


def test_the_accuracy_of_a_regression_contradicts_nothing() -> None:
    """A small squared error beside an accuracy near 0 proves nothing, by its names or by its values."""
    for epoch in (_table((0.0196, 0.0056, 0.0211, 0.0049))[0], {"loss": 0.02, "mse": 0.02, "accuracy": 0.0056}):
        explanation = explain_from_log("table", 1, epoch)
        assert not [finding for finding in explanation.findings if finding.verdict.startswith("proved")]
        assert "contradicts nothing" in _of(explanation, "suggests")["regression"]
        assert not _of(explanation, "excluded alone"), "signs of such an accuracy tell nothing"


def test_a_loss_that_is_nan_on_one_side_is_named() -> None:
    """NaN in validation alone points at its inputs and labels."""
    explanation = _explained(_table((0.4, 0.8, math.nan, 0.7)))
    assert "validation inputs that are NaN" in _of(explanation, "suggests")["not_finite"]
    assert "one side alone is no number" in explanation.headline


@given(st.lists(st.tuples(*[st.floats(0.3, 3), st.floats(0.4, 0.99)] * 2), min_size=1, max_size=5))
def test_ordinary_values_suggest_no_fault(rows: list[tuple[float, float, float, float]]) -> None:
    """Values that are neither stuck nor infinite suggest nothing but what they do together."""
    found = set(_of(_explained(_table(*rows)), "suggests"))
    assert found <= {"surer_mistakes", "one_class"}


ONCE: list[tuple[list[tuple[float, float, float, float]], bool]] = [
    ([(0.3, 0.9, 0.8, 0.5)], False),
    ([(0.01, 0.99, 0.4, 0.5)], False),
    ([(0.01, 0.99, 4.0, 0.5)], True),
    ([(0.5, 0.8, 0.7, 0.6), (0.01, 0.99, 4.0, 0.5)], False),
    ([(0.5, 0.8, 4.0, 0.5), (0.01, 0.99, 4.0, 0.5)], True),
]
"""Epochs, and whether an accuracy of exactly one half says that one class is predicted always."""


@pytest.mark.parametrize(("rows", "is_named"), ONCE)
def test_an_accuracy_that_is_exact_once_may_be_chance(
    rows: list[tuple[float, float, float, float]], is_named: bool
) -> None:
    """It counts from two epochs on, or in a single line beside a perfect training and a loss as bad as guessing."""
    assert ("one_class" in _of(_explained(_table(*rows)), "suggests")) is is_named


def test_averaging_is_excluded_while_the_loss_falls_alone() -> None:
    """Where the training loss has risen since the epoch before, averaging turns both signs round: not excluded."""
    falling = _explained(_table((0.8, 0.7, 0.9, 0.6), (0.4, 0.8, 0.9, 0.6)))
    rising = _explained(_table((0.3, 0.9, 0.4, 0.8), (0.5, 0.8, 0.9, 0.6)))
    assert "while the loss falls" in _of(falling, "excluded alone")["in_epoch_averaging"]
    assert "in_epoch_averaging" not in _of(rising, "excluded alone")


def test_what_fits_the_signs_is_named() -> None:
    """Worse validation leaves overfitting and lagging batch norm, better validation dropout and leaks."""
    worse = _of(_explained(_table((0.1, 0.95, 0.9, 0.7))), "cannot tell")["settle"]
    better = _of(_explained(_table((0.5, 0.7, 0.3, 0.8), (0.4, 0.75, 0.3, 0.8))), "cannot tell")["settle"]
    assert "overfitting, batch norm whose moving statistics lag" in worse
    assert "the running average, dropout or noise, easier or leaked" in better


def test_a_training_loss_that_is_nan_points_at_training() -> None:
    """The line of code looks at the side whose loss is no number."""
    explanation = _explained(_table((math.nan, 0.4, 0.5, 0.7)))
    finding = next(finding for finding in explanation.findings if finding.cause == "not_finite")
    assert "x_train" in finding.code
    assert "x_val" not in finding.code


DESCRIBED: list[tuple[dict[str, object], str | None]] = [
    ({"x": "ndarray (400, 6)", "y": "ndarray (400,)"}, ""),
    ({"x": ["ndarray (400, 6)", "Tensor (400, 2)"], "y": "ndarray (400,)"}, ""),
    ({"x": "_PrefetchDataset"}, None),
    ({"x": "ndarray (400, 6)", "y": "ndarray (400,)", "sample_weight": "ndarray (400,)"}, "sample weights"),
    ({"x": "_PrefetchDataset", "class_weight": {"0": 1.0, "1": 2.0}}, "class weights (0: 1.0, 1: 2.0)"),
]
"""Arguments of `fit` in printable form, and the weights that it was given."""


@pytest.mark.parametrize(("arguments", "weights"), DESCRIBED)
def test_what_a_run_knows_of_a_fit_is_said_of_epochs_that_were_not_measured(
    arguments: dict[str, object], weights: str | None
) -> None:
    """Weights and layers are named, or said not to be there where that is known; sizes say what chance gives."""
    model = {"loss": "binary_crossentropy", "layers": [{"kind": "Dense"}, {"kind": "Dropout"}]}
    recorded = RecordedFit.of(model, arguments, "this fit was not measured")
    assert recorded.weights == weights
    explanation = explain_from_log("run", 1, QUESTION, samples=(400, 100), recorded=recorded)
    sentences = " ".join(finding.sentence for finding in explanation.findings)
    assert ("neither class nor sample weights" in sentences) is (weights == "")
    assert ("The fit was given" in sentences) is (weights is not None)
    assert (weights or "") in sentences
    assert "act otherwise in training: Dropout." in sentences
    assert "With 400 training and 100 validation samples" in sentences


@pytest.mark.parametrize(
    ("values", "loss", "is_one"),
    [
        ({"loss": 0.4, "accuracy": 0.83, "mse": 0.12}, "", False),
        ({"loss": 0.4, "accuracy": 0.02, "mse": 0.12}, "", True),
        ({"loss": 0.4, "accuracy": 0.02, "mse": 0.12}, "SparseCategoricalCrossentropy", False),
        ({"loss": 0.12, "accuracy": 0.3, "mse": 0.12}, "", True),
        ({"loss": 0.12, "accuracy": 0.9, "mse": 0.12}, "", False),
        ({"loss": 2.4, "size_mae": 0.9, "sure_accuracy": 0.7}, "dict", False),
    ],
)
def test_a_metric_of_errors_alone_makes_no_regression(values: dict[str, float], loss: str, is_one: bool) -> None:
    """Classifiers have a squared error as a metric, too; what is called a regression has no accuracy to speak of."""
    both = {**values, **{f"val_{name}": value * 1.01 for name, value in values.items()}}
    explanation = explain_from_log("run", 2, both, recorded=RecordedFit(loss))
    assert ("regression" in explanation.headline) is is_one


def test_values_that_are_the_same_are_neither_higher_nor_lower() -> None:
    """A gap that rounds to nothing has no direction."""
    values = {"loss": 0.5, "val_loss": 0.4, "accuracy": 0.556, "val_accuracy": 0.556}
    assert explain_from_log("run", 2, values).verdict == "Validation loss is 0.100 lower, accuracy is the same."
