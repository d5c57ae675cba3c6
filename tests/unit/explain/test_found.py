"""What the views show of what was found: each number a count over the samples."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.explain.planted_checks import CLASSES, healthy, multi_label, swapped
from tui_monitor.explain.evidence.checks import checks
from tui_monitor.explain.evidence.found import copy_places, moved_classes, sample_order
from tui_monitor.explain.evidence.label_shares import describe_labels
from tui_monitor.explain.samples.opened import NOT_COMPARED, Leak
from tui_monitor.run_log.events.opened import FoundLeak


def _leak(matched: np.ndarray) -> Leak:
    copies = int((matched == 1).sum())
    found = FoundLeak(copies, matched.size, 1000, 1.0, 0.1, 0.1, 0.1, 0, 0.0, 1.0)
    return Leak(matched, 1.0, 0.0, found, is_beyond_chance=True, repeats=True)


def test_copies_stand_where_they_are() -> None:
    """Each part's fraction is that of its compared samples, if there are any; without copies there is nothing."""
    matched = np.zeros(960, dtype=np.int8)
    matched[100:150] = 1
    matched[900:] = NOT_COMPARED
    places = copy_places(_leak(matched))
    assert places is not None
    assert (places.samples, len(places.parts)) == (960, 48)
    assert places.parts[5:8] == (1.0, 1.0, 0.5)
    assert places.parts[45:] == (None, None, None)
    assert sum(part or 0 for part in places.parts) * 20 == pytest.approx(50)
    assert copy_places(_leak(np.zeros(960, dtype=np.int8))) is None


def test_moved_classes_have_both_sides_fractions() -> None:
    """A moved class is as often taken for the other one as training takes it for itself; others are left out."""
    training, validation, observed = swapped(healthy(3))
    moved = moved_classes(checks(training, validation, observed), training, validation)
    assert moved is not None
    assert {(one.own, one.said) for one in moved.moved} == {("1", "2"), ("2", "1")}
    for one in moved.moved:
        said = validation.predicted[validation.label == int(one.own)]
        assert one.validation_said == pytest.approx((said == int(one.said)).mean(), abs=1e-4)
        own = training.predicted[training.label == int(one.own)]
        assert one.train_own == pytest.approx((own == int(one.own)).mean(), abs=1e-4)
    training, validation, observed = healthy(3)
    assert moved_classes(checks(training, validation, observed), training, validation) is None


def test_loss_over_the_order_is_free_of_classes() -> None:
    """Sorted classes of unequal loss give no slope; a slope within each class shows as it is."""
    training, validation, _ = healthy(2, validation=2400)
    label = np.sort(validation.label)
    by_class = np.arange(CLASSES)[label] + np.random.default_rng(0).normal(0, 0.01, label.size)
    order = sample_order(training, replace(validation, label=label, loss=by_class))
    assert order is not None
    assert order.loss == pytest.approx([by_class.mean()] * 24, abs=0.01)
    slope = np.linspace(0, 1, label.size)
    order = sample_order(training, replace(validation, loss=slope + 3))
    assert order is not None
    assert np.diff(order.loss).min() > 0
    assert order.loss[0] == pytest.approx(3.0, abs=0.05)
    assert order.error[0] == pytest.approx(0.0, abs=0.02)


def test_classes_over_the_batches_of_training() -> None:
    """Each part's share is counted over its batches; all classes together are 1 in every part."""
    training, validation, _ = healthy(5, validation=400, batches=48)
    order = sample_order(training, validation)
    assert order is not None
    assert order.classes == tuple(map(str, range(CLASSES)))
    assert np.sum(order.train_shares, axis=0) == pytest.approx(1.0, abs=0.01)
    first = training.label[training.batch < 2]
    assert order.train_shares[0][0] == pytest.approx((first == 0).mean(), abs=1e-3)
    assert sample_order(training, replace(validation, complete=False)) is None


def test_labels_have_their_own_shares_and_recall() -> None:
    """Of samples with several labels each label is counted alone, against loops over the samples."""
    labels = multi_label(3, "binaryaccuracy")
    told = describe_labels(labels)
    assert (told.train_samples, told.validation_samples) == (400, 300)
    for side, share, recall, precision in (
        (labels.train, told.each.train_share, told.each.train_recall, told.each.train_precision),
        (labels.validation, told.each.validation_share, told.each.validation_recall, told.each.validation_precision),
    ):
        for index in range(6):
            there = [row[index] for row in side.target]
            said = [row[index] > 0 for row in side.output]
            hits = sum(t and s for t, s in zip(there, said, strict=True))
            assert share[index] == pytest.approx(sum(there) / len(there))
            assert recall[index] == pytest.approx(hits / sum(there))
            assert precision[index] == pytest.approx(hits / sum(said))
    assert told.each.p_value is not None
    assert told.each.p_value > 1e-4
    often = replace(labels.train, target=labels.train.target | True)
    assert (describe_labels(replace(labels, train=often)).each.p_value or 0.0) < 1e-9
