"""Cells that a text takes are those that Textual's own table gives, whichever way they are counted."""

import sys

from hypothesis import given
from hypothesis import strategies as st
from rich import cells

from tui_monitor.view.text.width import ONE_CELL, cell_len, set_cell_size


def test_characters_that_need_no_table_take_one_cell() -> None:
    """Each of them, by the table itself."""
    alone = [character for character in map(chr, range(sys.maxunicode)) if ONE_CELL.fullmatch(character)]
    assert len(alone) > 800
    assert {cells.get_character_cell_size(character) for character in alone} == {1}


@given(st.text(st.sampled_from("az –…▁│é漢😀\u0301\u200d"), max_size=12), st.integers(0, 20))
def test_texts_are_measured_and_cut_as_by_the_table(text: str, total: int) -> None:
    """Any mixture of narrow, wide and joining characters."""
    assert cell_len(text) == cells.cell_len(text)
    assert set_cell_size(text, total) == cells.set_cell_size(text, total)
