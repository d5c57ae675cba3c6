"""Which of several bars reports an epoch, and what their counts mean."""

import math
import re
from dataclasses import dataclass, field

from tui_monitor.importers.text.progress_line import ProgressLine
from tui_monitor.metric_names import VALIDATION_PREFIX

_VALIDATION = re.compile(r"val(?:id|idation)?[\W_]", re.IGNORECASE)
_SIZES = re.compile(
    r"(?:^|\W)Train (?P<how>on|for) (?P<train>\d{1,12}) (?P<unit>samples|steps)"
    r"(?:, ?validate (?:on|for) (?P<validation>\d{1,12}) (?:samples|steps))?"
)
_MOST_SIZES = 16


@dataclass
class Headless:
    """A full bar that no header announced."""

    text: str
    number: int | None = None
    """As a callback's message numbers it."""
    is_certain: bool = False
    """Whether it is a training's: `evaluate` prints no validation metrics, and no callback numbers it."""


@dataclass
class Sizes:
    """Sizes of sets as `fit` of Keras 1 to 2.3 and TensorFlow 1 to 2.1 announces them."""

    samples: list[tuple[int, int]] = field(default_factory=list)
    """Training and validation samples of each fit, the newest last; 0 where there is no validation."""
    steps: list[tuple[int, int]] = field(default_factory=list)
    """Likewise in steps."""

    def read(self, text: str) -> bool:
        """Take the sizes that a line announces, and return whether it does."""
        found = _SIZES.search(text) if "Train " in text else None
        if found is None:
            return False
        held = self.samples if found["unit"] == "samples" else self.steps
        held.append((int(found["train"]), int(found["validation"] or 0)))
        del held[:-_MOST_SIZES]
        return True

    def is_validations(self, progress: ProgressLine) -> bool:
        """Return whether a bar counts as much as validation has, and not as training has."""
        known = [*self.samples[-1:], *self.steps[-1:]]
        return any(progress.of == validation != train for train, validation in known) and not any(
            progress.of == train for train, _ in known
        )

    def of(self, progress: ProgressLine) -> tuple[int, int]:
        """Return the samples that an epoch's values are means over in training and validation; 0 where unknown."""
        for train, validation in reversed(self.samples):
            if progress.of == train or (progress.of is None and (train, validation) == self.samples[-1]):
                return train, validation
        if progress.unit == "sample":
            return progress.of or 0, 0
        return 0, 0

    def batches(self, progress: ProgressLine) -> int:
        """Return the batches that a bar counts; 0 where old versions may count samples."""
        counted = progress.of or progress.at or 0
        is_old = progress.has_bar and not progress.unit and (counted, 0) not in [(a, 0) for a, _ in self.steps]
        return 0 if is_old or progress.unit == "sample" else counted


def has_validation(progress: ProgressLine) -> bool:
    """Return whether a line reports metrics of validation, however they are spelt."""
    return any(name.startswith(VALIDATION_PREFIX) or _VALIDATION.match(name) for name in progress.metrics)


def supersedes(old: ProgressLine | None, new: ProgressLine) -> bool:
    """An epoch's last line repeats the training metrics and may add validation's; `evaluate` prints others."""
    if old is None or not old.metrics or (old.of is None and old.at is not None):
        return True
    if has_validation(new) != has_validation(old):
        return has_validation(new)
    if old.has_eta and not new.has_eta and old.of == new.of:
        return True
    return all(name in new.metrics and _agree(value, new.metrics[name]) for name, value in old.metrics.items())


def _agree(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
