"""Samples that hold several targets: any number of labels at once, or time steps some of which are padding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_monitor.explain.samples.probes import FloatArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class LabelSide:
    """One side's measured samples, in inference mode, shape (n, labels) each."""

    target: BoolArray
    """Whether each sample has each label."""
    output: FloatArray
    """As the model gives it."""


@dataclass(frozen=True)
class MultiLabel:
    """A model whose samples have any number of labels."""

    train: LabelSide
    validation: LabelSide
    is_logits: bool
    """Whether outputs are logits."""
    accuracy_function: str = ""
    """As in `Observed`."""
    threshold: float = 0.5
    """That the reported accuracy puts on outputs, where it puts one."""

    @property
    def one_half(self) -> float:
        """The output that a probability of one half is."""
        return 0.0 if self.is_logits else 0.5


@dataclass(frozen=True)
class Padding:
    """Which time steps are padding, though nothing masks them, in the order of the units of each side."""

    train: BoolArray
    """Shape (units,), as in `TrainingProbe`."""
    validation: BoolArray | None
    """As in `ValidationProbe`; None where not all of validation was kept."""
