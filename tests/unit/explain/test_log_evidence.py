"""What the question's own printed values prove, exclude and leave open."""

import math

from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.explain.from_log import explain_from_log
from tui_monitor.explain.words.text import explanation_text
from tui_monitor.run_log.events.explanation import explanation_to_json

QUESTION = {"loss": 0.6356, "accuracy": 0.8289, "val_loss": 0.4981, "val_accuracy": 0.7760}


def test_the_question_excludes_averaging_dropout_and_leakage_alone() -> None:
    """(+, +) is not explained by causes that raise one value and lower the other."""
    content = explanation_to_json(explain_from_log("question", 5, QUESTION, class_shares=(0.8, 0.2)))
    assert content["paradox"] is True
    assert content["evidence"] == "log"
    excluded = {finding["cause"] for finding in content["findings"] if finding["verdict"] == "excluded alone"}
    assert {"in_epoch_averaging", "train_mode_layers", "leakage", "class_mix"} <= excluded
    assert "averaging, dropout or leakage alone" in content["headline"]
    assert all(term["effect"] is None for term in content["loss"]["terms"])
    accuracy = {term["cause"]: term["verdict"] for term in content["accuracy"]["terms"]}
    assert accuracy["in_epoch_averaging"] == accuracy["sample_weights"] == "ruled out"


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
