"""Names that other tools log under, as Keras would spell them: `train/loss` is `loss`, `valid.acc` is `val_acc`.

A value of a test set keeps its `test_`: it never stands for validation.
"""

import re
from collections.abc import Iterable, Mapping

from tui_monitor.metric_names import VALIDATION_PREFIX

_TEST_PREFIX = "test_"
_SIDES: Mapping[str, tuple[str, int]] = {
    **dict.fromkeys(("train", "training"), ("", 1)),
    **dict.fromkeys(("val", "valid", "validation"), (VALIDATION_PREFIX, 1)),
    **dict.fromkeys(("eval", "evaluation", "dev"), (VALIDATION_PREFIX, 2)),
    **dict.fromkeys(("test", "testing"), (_TEST_PREFIX, 1)),
}
"""Word to the prefix it stands for, and how far it comes behind a name that is spelt in Keras' manner."""
_SEPARATOR = r"[_/.:\s-]+"
_FIRST = re.compile(rf"^(?P<side>[A-Za-z]+?)(?:{_SEPARATOR}|(?<=[a-z])(?=[A-Z]))(?P<stem>.*\w.*)$")
_LAST = re.compile(rf"^(?P<stem>.*\w.*?)(?:{_SEPARATOR})(?P<side>[A-Za-z]+)$")
_OF_EPOCH = re.compile(r"^epoch[_/]|[_/]epoch$", re.IGNORECASE)
_USUAL = re.compile(
    r"(?:loss|acc|accuracy|mae|mse|rmse|auc|precision|recall|f1|perplexity|lr|learning_rate|epoch)", re.IGNORECASE
)
_AS_KERAS_SPELLS = re.compile(r"[a-z0-9_]+")


def keras_name(name: str) -> str:
    """Return a metric's name in Keras' manner."""
    return _ranked(name)[0]


def side_prefix(word: str) -> str | None:
    """Return the prefix of the side that a word names, `val_` for `Valid`; None where it names none."""
    found = _SIDES.get(word.lower())
    return None if found is None else found[0]


def is_as_keras_spells(name: str) -> bool:
    """Return whether Keras itself would print a metric under this name, whatever its first word is."""
    return _AS_KERAS_SPELLS.fullmatch(name) is not None


def matched_names(names: Iterable[str]) -> dict[str, str]:
    """Return each name in Keras' manner, in the order given.

    Where several would share one, that which is spelt so has it, then the mean over an epoch, then the first;
    the others keep the spelling they have.
    """
    ordered = list(dict.fromkeys(names))
    owners: dict[str, tuple[int, int]] = {}
    for index, name in enumerate(ordered):
        wanted, rank = _ranked(name)
        owners[wanted] = min(owners.get(wanted, (rank, index)), (rank, index))
    owned = {wanted: ordered[index] for wanted, (_, index) in owners.items()}
    return {name: wanted if owned[wanted := keras_name(name)] == name else name for name in ordered}


def _ranked(name: str) -> tuple[str, int]:
    """Return the name in Keras' manner and its rank among names that want the same: 0 is spelt so already."""
    stripped = name.strip(" .:")
    of_epoch = _OF_EPOCH.sub("", stripped)
    whole, means = (of_epoch, stripped != of_epoch) if re.search(r"\w", of_epoch) else (stripped, False)
    prefix, stem, rank = _side(whole)
    if _USUAL.fullmatch(stem):
        stem = stem.lower()
    spelt = prefix + re.sub(r"\s+", "_", stem)
    if spelt == name:
        return spelt, 0
    return spelt, 2 * rank + 1 - means


def _side(name: str) -> tuple[str, str, int]:
    for pattern in (_FIRST, _LAST):
        found = pattern.match(name)
        side = _SIDES.get(found["side"].lower()) if found else None
        if found and side:
            inner = _OF_EPOCH.sub("", found["stem"].strip(" ."))
            return side[0], inner or found["stem"], side[1]
    return "", name, 1
