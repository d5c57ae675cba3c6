"""Names that other tools log under, as Keras would spell them: `train/loss` is `loss`, `valid_acc` is `val_acc`."""

import re
from collections.abc import Iterable

_TRAINING = re.compile(r"^(?:train|training)[_/.]", re.IGNORECASE)
_VALIDATION = re.compile(r"^(?:val|valid|validation|test|eval)[_/.]", re.IGNORECASE)
_TRAINING_LAST = re.compile(r"[_/.](?:train|training)$", re.IGNORECASE)
_VALIDATION_LAST = re.compile(r"[_/.](?:val|valid|validation|test|eval)$", re.IGNORECASE)


def keras_name(name: str) -> str:
    """Return a figure's name in Keras' manner."""
    for pattern, prefix in (
        (_TRAINING, ""),
        (_VALIDATION, "val_"),
        (_TRAINING_LAST, ""),
        (_VALIDATION_LAST, "val_"),
    ):
        stem = pattern.sub("", name)
        if stem != name and stem:
            return prefix + (stem.lower() if stem.lower() in ("loss", "acc", "accuracy") else stem)
    return name


def matched_names(names: Iterable[str]) -> dict[str, str]:
    """Return each name in Keras' manner; the mean over an epoch gets the plain name, where it was logged.

    A name that is taken keeps the spelling it has.
    """
    spelt = sorted(names, key=lambda name: not name.endswith("_epoch"))
    chosen: dict[str, str] = {}
    for name in spelt:
        wanted = keras_name(name.removesuffix("_epoch"))
        chosen[name] = name if wanted in chosen.values() else wanted
    return chosen
