"""Some samples of both sides once more in float32, where a model computes in a narrower type."""

from collections.abc import Sequence
from typing import Final

from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.explain.samples.rerun import Rerun
from tui_monitor.training.probe.opening.epoch_to_open import EpochToOpen, PlacedBatch, up_to
from tui_monitor.training.probe.passes import Probe
from tui_monitor.training.step.per_sample_metrics import Unsupported

_SAMPLES: Final = 512
"""Of each side: enough to tell what rounding does to a mean from what it does to single samples."""


def rerun(probe: Probe, epoch: EpochToOpen) -> Rerun | None:
    """Return both sides' losses as computed and in float32; None where the model computes in float32.

    Args:
        probe: of the functions that run now.
        epoch: which ended.
    """
    dtype = probe.narrow_type(epoch.probed[0])
    kept = epoch.validation.kept.draw(10**9) if dtype else []
    if not kept:
        return None
    validation = up_to([(index, unpack()) for index, unpack in kept], _SAMPLES, epoch.epoch)
    training = up_to(list(enumerate(epoch.probed)), _SAMPLES, epoch.epoch)
    try:
        return Rerun(dtype, _losses(probe, training), _losses(probe, validation))
    except Unsupported as reason:
        return Rerun(dtype, None, None, str(reason))


def _losses(probe: Probe, side: Sequence[PlacedBatch]) -> tuple[FloatArray, FloatArray]:
    batches = [batch for _, batch in side]
    as_computed = probe.validation_batches(batches).outputs[0].inference["loss"]
    return as_computed, probe.in_float32(batches)["loss"]
