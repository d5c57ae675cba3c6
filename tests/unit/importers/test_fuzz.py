"""Damaged logs of every layout: no crash, no run without an epoch, and no value that was not in the input."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.damaging import check, damaged


@settings(max_examples=150)
@given(st.data())
def test_no_damage_invents_a_value(data: st.DataObject) -> None:
    """However a log is cut, glued, interleaved, wrapped or encoded, only values of the input are recorded."""
    check(damaged(lambda below: data.draw(st.integers(0, below - 1)) if below > 1 else 0))


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_no_bytes_crash_an_import(content: bytes) -> None:
    """Any bytes at all are imported or refused with a sentence."""
    check(content)
