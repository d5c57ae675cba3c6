"""Losses of some samples as a model computes them in float16 or bfloat16, and as float32 gives them."""

from dataclasses import dataclass

from tui_monitor.explain.samples.probes import FloatArray


@dataclass(frozen=True)
class Rerun:
    """Some samples of each side in inference mode, at the same weights."""

    dtype: str
    """The type that the model computes in."""
    training: tuple[FloatArray, FloatArray] | None
    """Loss of each sample as computed, and in float32; shape (n,) each. None where it was not measured."""
    validation: tuple[FloatArray, FloatArray] | None
    why_not: str = ""
    """Why it was not measured, a clause; empty where it was."""
