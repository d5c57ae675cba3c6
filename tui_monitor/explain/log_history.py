"""What the values of several epochs suggest, where nothing was measured: stuck accuracies, NaN on one side."""

import math
from collections.abc import Mapping, Sequence

from tui_monitor import units
from tui_monitor.run_log.events.explanation import Finding

Values = Mapping[str, float]
"""One epoch's values by canonical name."""

SUGGESTS = "suggests"
_MOST_CLASSES = 20
_ROUNDED = 5e-5
"""How far an accuracy that is exactly 1/K may be off, as it is printed with four digits."""
_BETTER = 0.2
"""Fraction by which training's accuracy must be better than one that says one class always."""
_NEARLY_PERFECT = 0.95
_ERRORS = ("mse", "mae", "mape", "msle", "rmse", "error", "r2")
"""Parts of names of metrics that only regression has."""
_NO_ACCURACY = 0.05
"""Accuracy below which, with a small loss, nothing seems to be classified."""
_SOME_ACCURACY = 0.5
"""Accuracy from which on something seems to be classified, even by a loss that regressions have."""
_SAME = 0.01
"""Relative difference of a loss to a metric that is the same but for a penalty."""
_OF_CLASSES = ("crossentropy", "focal", "hinge", "kldivergence")
"""Parts of the names of losses that are of classes."""


def loss_trend(before: Sequence[Values], now: Values) -> int:
    """Return −1 where the training loss falls, 1 where it rises, 0 where the epochs before don't tell.

    Args:
        before: earlier epochs, oldest first.
        now: the epoch that is explained.
    """
    known = [value for epoch in before if math.isfinite(value := epoch.get("loss", math.nan))]
    loss = now.get("loss", math.nan)
    if not known or not math.isfinite(loss) or loss == known[-1]:
        return 0
    return -1 if loss < known[-1] else 1


def suggestions(before: Sequence[Values], now: Values, loss_name: str = "") -> list[Finding]:
    """Return what the values suggest, none of it proved.

    Args:
        before: as for `loss_trend`.
        now: likewise.
        loss_name: as given to `compile`; empty where it is not known.
    """
    found = (
        _one_class_always(before, now, loss_name),
        _not_finite(now),
        _regression(now, loss_name),
        _surer_mistakes(before, now),
    )
    return [finding for finding in found if finding is not None]


def leading(before: Sequence[Values], now: Values, loss_name: str = "") -> str:
    """Return the suggestion that answers why both sides differ, in a sentence; empty where there is none."""
    sentences = {
        "one_class": "Validation accuracy stands where one class predicted for every sample puts it: look at batch "
        "norm's moving statistics and at how validation's inputs are prepared first.",
        "not_finite": "The loss of one side alone is no number: look at that side's inputs and labels first.",
        "surer_mistakes": "Validation's loss and accuracy rise together, which is no contradiction: more answers are "
        "right, yet wrong ones cost more, usually as the model gets surer.",
    }
    found = {finding.cause for finding in suggestions(before, now, loss_name)}
    return next((sentence for cause, sentence in sentences.items() if cause in found), "")


def is_regression(now: Values, loss_name: str = "") -> bool:
    """Whether the values look like those of a regression that has an accuracy, which means nothing then.

    Args:
        now: of the epoch.
        loss_name: as given to `compile`; empty where it is not known.
    """
    known = [value for side in ("", "val_") if (value := now.get(side + "accuracy")) is not None]
    if not known or any(part in loss_name.lower().replace("_", "") for part in _OF_CLASSES):
        return False
    if all(accuracy < _NO_ACCURACY for accuracy in known) and any(_is_error(name) for name in now):
        return True
    if all(accuracy < _SOME_ACCURACY for accuracy in known) and _loss_is_an_error(now):
        return True
    pairs = [(now.get(side + "loss"), now.get(side + "accuracy")) for side in ("", "val_")]
    both = [(loss, accuracy) for loss, accuracy in pairs if loss is not None and accuracy is not None]
    return bool(both) and all(loss < math.log(2) / 2 and accuracy < _NO_ACCURACY for loss, accuracy in both)


def _is_error(name: str) -> bool:
    return any(part in name.lower() for part in _ERRORS)


def _loss_is_an_error(now: Values) -> bool:
    """Whether a loss is what a metric of errors is, too; classes may be measured by one beside their loss."""
    return any(
        math.isclose(now[side + "loss"], value, rel_tol=_SAME)
        for side in ("", "val_")
        if side + "loss" in now
        for name, value in now.items()
        if _is_error(name) and name.startswith("val_") == bool(side)
    )


def _regression(now: Values, loss_name: str) -> Finding | None:
    accuracy = now.get("accuracy", now.get("val_accuracy"))
    if accuracy is None or not is_regression(now, loss_name):
        return None
    return Finding(
        "regression",
        SUGGESTS,
        f"These look like values of a regression: an accuracy of {accuracy:.4f} then only says how often a prediction "
        "equals its target to the last digit, and contradicts nothing.",
        "Leave accuracy out, and judge by the mean absolute error.",
        'metrics=["mae"]',
    )


def _one_class_always(before: Sequence[Values], now: Values, loss_name: str) -> Finding | None:
    accuracy, train = now.get("val_accuracy"), now.get("accuracy")
    if accuracy is None or train is None or train < accuracy + _BETTER or is_regression(now, loss_name):
        return None
    classes = next((k for k in range(2, _MOST_CLASSES + 1) if abs(accuracy - 1 / k) <= _ROUNDED), None)
    if classes is None:
        return None
    epochs, val_loss = 1, now.get("val_loss", math.inf)
    for epoch in reversed(before):
        if abs(epoch.get("val_accuracy", math.inf) - accuracy) > _ROUNDED:
            break
        epochs += 1
    # Once is chance in a small set, unless nothing else is known and the loss is no better than guessing.
    if epochs == 1 and (before or train < _NEARLY_PERFECT or val_loss < math.log(classes)):
        return None
    stands = f"stands at exactly 1/{classes}" + (f" for {epochs} epochs" if epochs > 1 else "")
    return Finding(
        "one_class",
        SUGGESTS,
        f"Validation accuracy {stands} ({accuracy:.4f}) while training's is {units.percentage(train, 1)}: that is what "
        "one class predicted for every sample gives where classes are equally frequent. Usual causes: batch norm whose "
        "moving statistics have hardly moved yet (few steps, high `momentum`), and inputs that validation prepares "
        "otherwise than training (such as / 255).",
        "Look at the predictions, and at the mean of the inputs on both sides.",
        "np.bincount(model.predict(x_val).argmax(axis=1)); x_train.mean(), x_val.mean()",
    )


def _surer_mistakes(before: Sequence[Values], now: Values) -> Finding | None:
    """Say of validation loss and accuracy that rise together why that is no contradiction."""
    names = ("val_loss", "val_accuracy")
    earlier = next((epoch for epoch in before if all(math.isfinite(epoch.get(name, math.nan)) for name in names)), None)
    if earlier is None or not all(earlier[name] < now.get(name, -math.inf) < math.inf for name in names):
        return None
    loss, accuracy = (f"{earlier[name]:.3f} → {now[name]:.3f}" for name in names)
    return Finding(
        "surer_mistakes",
        SUGGESTS,
        f"Validation loss and accuracy have both risen (val_loss {loss}, val_accuracy {accuracy}): no contradiction. "
        "More answers are right, yet they cost more on average: usually wrong ones are given with more certainty, and "
        "their loss has no bound.",
        "Judge by what you need: stop at the lowest val_loss for probabilities, at the highest val_accuracy for "
        "answers.",
        'keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=5, restore_best_weights=True)',
    )


def _not_finite(now: Values) -> Finding | None:
    sides = {name: now[name] for name in ("loss", "val_loss") if name in now}
    bad = [name for name, value in sides.items() if not math.isfinite(value)]
    if len(sides) < 2 or len(bad) != 1:
        return None
    side = "training" if bad == ["loss"] else "validation"
    return Finding(
        "not_finite",
        SUGGESTS,
        f"{bad[0]} is {'NaN' if math.isnan(sides[bad[0]]) else 'infinite'} while the other side's is finite. Usual "
        f"causes: {side} inputs that are NaN, {side} labels out of range, or numbers that overflow (float16, a "
        "logarithm of 0).",
        f"Look at {side}'s inputs and labels for values that are not finite or out of range.",
        "np.isfinite(x_val).all(), y_val.min(), y_val.max()"
        if side == "validation"
        else "np.isfinite(x_train).all(), y_train.min(), y_train.max()",
    )
