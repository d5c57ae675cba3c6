"""Recorded values under their canonical names, one name each."""

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from tui_monitor.metric_names import canonical_metric
from tui_monitor.run_log.format.strict_json import number


def canonical_names(names: Iterable[str]) -> dict[str, str]:
    """Return the canonical name of each of a record's values.

    Where two would share one (`acc` beside `accuracy`), the one already spelt so has it, then the first;
    the others keep Keras' spelling.
    """
    return dict(_canonical_names(tuple(names)))


@functools.lru_cache(maxsize=256)
def _canonical_names(spelt: tuple[str, ...]) -> Mapping[str, str]:
    taken = {name for name in spelt if canonical_metric(name) == name}
    chosen: dict[str, str] = {}
    # The same for every epoch of a run, and for most runs of a folder.
    for name in spelt:
        canonical = canonical_metric(name)
        chosen[name] = name if canonical in taken else canonical
        taken.add(chosen[name])
    return chosen


def canonical_values(logs: Any) -> Mapping[str, float]:
    """Return the values of an epoch's logs by canonical name; what is not a value is left out."""
    if not isinstance(logs, Mapping):
        return {}
    values = {str(name): found for name, value in logs.items() if (found := number(value)) is not None}
    names = canonical_names(values)
    return {names[name]: found for name, found in values.items()}
