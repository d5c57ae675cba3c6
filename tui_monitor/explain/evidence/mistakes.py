"""The loss difference of the two sides, split exactly into more mistakes, surer when right, worse when wrong."""

import numpy as np

from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.run_log.events.explanation import MistakeEffects, Mistakes, SideMistakes


def side_mistakes(loss: FloatArray, correct: FloatArray, weight: FloatArray) -> SideMistakes:
    """Return error rate and mean loss when right and when wrong.

    Args:
        loss: per-sample loss in inference mode, nats, shape (n,), n at least 1.
        correct: 1 where the prediction is right, shape (n,).
        weight: what each sample stands for (post-stratification), shape (n,).
    """
    wrong = 1.0 - correct
    return SideMistakes(
        error_rate=float(np.average(wrong, weights=weight)),
        loss_when_right=_mean(loss, weight * correct),
        loss_when_wrong=_mean(loss, weight * wrong),
    )


def _mean(values: FloatArray, weight: FloatArray) -> float | None:
    total = float(weight.sum())
    return float((values * weight).sum()) / total if total > 0 else None


def split_mistakes(train: SideMistakes, validation: SideMistakes) -> Mistakes:
    """Split `mean loss = (1−e)·c + e·w`, training minus validation, in midpoint form.

    The three effects add up to the difference of the mean losses. There are none where a side has no sample
    that is right, or none that is wrong.
    """
    values = (
        train.loss_when_right,
        train.loss_when_wrong,
        validation.loss_when_right,
        validation.loss_when_wrong,
    )
    right_t, wrong_t, right_v, wrong_v = values
    if right_t is None or wrong_t is None or right_v is None or wrong_v is None:
        return Mistakes(train, validation, None)
    train_error, validation_error = train.error_rate, validation.error_rate
    error = (train_error + validation_error) / 2
    right, wrong = (right_t + right_v) / 2, (wrong_t + wrong_v) / 2
    effects = MistakeEffects(
        more_mistakes=(train_error - validation_error) * (wrong - right),
        when_right=(1 - error) * (right_t - right_v),
        when_wrong=error * (wrong_t - wrong_v),
    )
    return Mistakes(train, validation, effects)
