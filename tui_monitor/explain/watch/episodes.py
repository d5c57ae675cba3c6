"""Alerts as episodes: each begins once, is updated while it grows, and ends once."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class AlertKind(StrEnum):
    """What an alert is about."""

    NOT_FINITE = "not_finite"
    DIVERGENCE = "divergence"
    PLATEAU = "plateau"
    OVERFITTING = "overfitting"
    STALL = "stall"
    NEVER_PREDICTED = "never_predicted"
    SMALL_VALIDATION = "small_validation"


class Stage(StrEnum):
    """Where an alert stands in its episode."""

    BEGAN = ""
    UPDATED = "updated"
    ENDED = "ended"


@dataclass(frozen=True)
class Alert:
    """One thing that needs attention."""

    kind: AlertKind
    sentence: str
    epoch: int
    """From 1."""
    stage: Stage = Stage.BEGAN


_GROWN = 1.5
"""Times its size when it was last told that make an alert worth an update."""


@dataclass
class Episodes:
    """Which alerts are under way in one `fit` call."""

    _sizes: dict[AlertKind, float] = field(default_factory=dict)
    """Size of each alert under way when it was last told."""
    _begun: Counter[AlertKind] = field(default_factory=Counter)

    def __contains__(self, kind: AlertKind) -> bool:
        """Whether an alert is under way."""
        return kind in self._sizes

    def begun(self, kind: AlertKind) -> int:
        """Return how many episodes of a kind there were."""
        return self._begun[kind]

    def there(self, kind: AlertKind, sentence: str, epoch: int, size: float = 0.0) -> tuple[Alert, ...]:
        """Return what to tell of an alert that holds now: it begins, it has grown, or nothing.

        Args:
            kind: what it is about.
            sentence: what was seen.
            epoch: from 1.
            size: how bad it is, in any unit; 0 for what can't grow.
        """
        told = self._sizes.get(kind)
        if told is not None and size <= _GROWN * told:
            return ()
        self._sizes[kind] = size
        self._begun[kind] += told is None
        return (Alert(kind, sentence, epoch, Stage.BEGAN if told is None else Stage.UPDATED),)

    def over(self, kind: AlertKind, epoch: int) -> tuple[Alert, ...]:
        """Return the end of an alert that no longer holds; nothing where it was not under way."""
        if self._sizes.pop(kind, None) is None:
            return ()
        return (Alert(kind, f"Over since epoch {epoch}.", epoch, Stage.ENDED),)
