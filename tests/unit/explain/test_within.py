"""The within-class term opened: parts that add up whatever was measured, and copies told from repeats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.explain.random_probes import make_probe
from tui_monitor.explain.evidence.copies import CLEAR_P_VALUE, copies_p_value
from tui_monitor.explain.evidence.input_scale import SideMoments, scale_mapping
from tui_monitor.explain.ledger.build import build_ledger
from tui_monitor.explain.ledger.reweighting import features
from tui_monitor.explain.samples.opened import Fresh, Leak, Opened, Rescaled
from tui_monitor.run_log.events.ledger import Verdict
from tui_monitor.run_log.events.opened import FoundLeak, InputScale


def _opened(seed: int, size: int, label: np.ndarray, parts: int) -> Opened:
    """Return random parts for validation samples, those in `parts` by its bits."""
    generator = np.random.default_rng(seed)
    matched = (generator.random(size) < 0.3).astype(np.int8)
    found = FoundLeak(int(matched.sum()), size, 99, 0.7, 0.4, 0.3, 0.5, 0, 1e-9, 1.0)
    loss = generator.exponential(0.5, size)
    count = int(generator.integers(4, 40))
    fresh = Fresh(
        batch=np.sort(generator.integers(0, 4, count)),
        label=generator.integers(0, 3, count),
        loss=generator.exponential(0.5, count),
        correct=(generator.random(count) < 0.5).astype(float),
        validation_sample=np.arange(size),
        validation_label=label,
        validation_loss=generator.exponential(0.5, size),
        validation_correct=(generator.random(size) < 0.5).astype(float),
        batches_before=3,
        features=features(
            generator.normal(size=(count, 2)), generator.integers(0, 3, count), generator.normal(size=(size, 2)), label
        ),
    )
    scale = InputScale("", "", (), 1, 1)
    return Opened(
        leak=Leak(matched, 0.7, 0.05, found, is_beyond_chance=True, repeats=True) if parts & 1 else None,
        rescaled=Rescaled(np.arange(size), loss / 9, None, loss, scale) if parts & 2 else None,
        fresh=fresh if parts & 4 else None,
        reasons=dict.fromkeys(("leaked", "input_scale", "unfamiliar", "memorised"), "It was not measured."),
        same_scale=bool(parts & 8),
    )


@given(seed=st.integers(0, 2**32 - 1), parts=st.integers(0, 15), probed=st.floats(0.2, 1.0))
def test_parts_add_up_and_what_has_none_says_why(seed: int, parts: int, probed: float) -> None:
    """Whatever was opened, terms add up to the gap; a term has an amount or a reason, and never both."""
    probe, validation = make_probe(seed, probed=probed)
    opened = _opened(seed, validation.loss.size, validation.label, parts)
    for metric in ("loss", "accuracy"):
        ledger = build_ledger(probe, validation, metric, opened=opened)
        assert ledger is not None
        assert sum(term.effect or 0.0 for term in ledger.terms) == pytest.approx(ledger.gap, abs=1e-9)
        assert all((term.effect is None) == bool(term.reason) for term in ledger.terms)
        assert sum(term.verdict is Verdict.MAIN for term in ledger.terms) <= 1


def test_copies_are_told_from_values_that_repeat() -> None:
    """Samples drawn from a few values are copies by nature: of 300 pairs of sets none counts as a leak."""
    clear = 0
    for seed in range(300):
        generator = np.random.default_rng(seed)
        values = 10 ** generator.integers(2, 7)
        train, validation = generator.integers(0, values, 800), generator.integers(0, values, 300)
        repeats = sum(_pairs(side) for side in (train, validation))
        copies = int(np.isin(validation, train).sum())
        within = 800 * 799 / 2 + 300 * 299 / 2
        clear += copies_p_value(copies, len(np.unique(train)) * 300, repeats, within) < CLEAR_P_VALUE
    assert clear == 0
    assert copies_p_value(20, 800 * 300, 0, 800 * 799 / 2 + 300 * 299 / 2) < CLEAR_P_VALUE


def _pairs(values: np.ndarray) -> int:
    counts = np.unique(values, return_counts=True)[1]
    return int((counts * (counts - 1) // 2).sum())


def test_inputs_of_one_source_are_on_one_scale() -> None:
    """Of 300 pairs of sides of one source, heavy tails and few samples included, none is mapped."""
    found = 0
    for seed in range(300):
        generator = np.random.default_rng(seed)
        tails = (lambda drawn: drawn, np.exp, lambda drawn: drawn**3)[seed % 3]
        sizes = generator.integers(10, 400, 2)
        train, validation = (np.asarray(tails(generator.normal(size=(size, 12)))) for size in sizes)
        sides = [SideMoments(side, side**2, False, side[:20]) for side in (train, validation)]
        found += scale_mapping(sides[0], sides[1], 0) is not None
    assert found == 0
