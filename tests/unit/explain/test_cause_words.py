"""Names of causes: short enough for a row, one word for each verdict, and a meaning for everything that is named."""

from tui_monitor.explain.words.causes import CAUSE_WORDS, meaning
from tui_monitor.run_log.events.ledger import Cause, Verdict


def test_every_cause_fits_a_row_and_has_a_meaning() -> None:
    """No label is longer than 24 characters, and every cause has its words, one sentence of meaning among them."""
    assert set(CAUSE_WORDS) == set(Cause)
    for cause, words in CAUSE_WORDS.items():
        assert len(cause.label) <= 24
        assert words.meaning.endswith(".")
        assert ". " not in words.meaning
        assert words.subject.endswith((" is", " are"))
        assert meaning(cause.value) == words.meaning
    assert meaning("chance") == ""


def test_every_verdict_has_one_word_on_screen() -> None:
    """The words are short and differ; JSON keeps its own."""
    assert [verdict.word for verdict in Verdict] == ["main", "adds", "offsets", "ruled out", "unclear"]
    assert [verdict.value for verdict in Verdict] == ["main", "contributes", "offsets", "ruled out", "cannot tell"]
