"""What each side holds of each label where samples may have several, and how the model does on it."""

import numpy as np

from tui_monitor.explain.evidence.class_shares import same_share_probability
from tui_monitor.explain.samples.labels import BoolArray, LabelSide, MultiLabel
from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.run_log.events.explanation import Classes, Labels

_Rates = tuple[float | None, ...]


def describe_labels(labels: MultiLabel) -> Labels:
    """Return shares, recall and precision of each label, at a probability of one half.

    A label is tested on its own, as labels don't exclude one another; the smallest p-value counts as often as there
    are labels (Bonferroni).
    """
    sides = labels.train, labels.validation
    shares = [side.target.mean(axis=0) for side in sides]
    tests = [
        same_share_probability(float(t), len(sides[0].target), float(v), len(sides[1].target))
        for t, v in zip(*shares, strict=True)
    ]
    known = [test for test in tests if test is not None]
    recalls, precisions = zip(*(_recall_and_precision(side, labels.one_half) for side in sides), strict=True)
    each = Classes(
        labels=tuple(str(index) for index in range(len(tests))),
        train_share=tuple(map(float, shares[0])),
        validation_share=tuple(map(float, shares[1])),
        p_value=min(1.0, min(known) * len(known)) if known else None,
        train_recall=recalls[0],
        validation_recall=recalls[1],
        train_precision=precisions[0],
        validation_precision=precisions[1],
    )
    return Labels(each, *(len(side.target) for side in sides))


def _recall_and_precision(side: LabelSide, one_half: float) -> tuple[_Rates, _Rates]:
    said: BoolArray = np.asarray(side.output > one_half)
    hits = (said & side.target).sum(axis=0)
    return _rates(hits, side.target.sum(axis=0)), _rates(hits, said.sum(axis=0))


def _rates(hits: FloatArray, totals: FloatArray) -> _Rates:
    return tuple(float(hit / total) if total else None for hit, total in zip(hits, totals, strict=True))
