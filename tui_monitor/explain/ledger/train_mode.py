"""The train-mode term opened by kind of layer: batch normalisation's lag and noise, dropout, noise, augmentation.

Each part is the term between two neighbouring modes on the way from training to inference. So the parts add up to the
term whatever else the ledger toggles: Shapley values are linear in what is toggled.
"""

from dataclasses import replace

import numpy as np

from tui_monitor.explain.ledger.estimates import ClassWeights, estimate
from tui_monitor.explain.ledger.intervals import deviations, intervals
from tui_monitor.explain.samples.opened import Opened
from tui_monitor.explain.samples.probes import FloatArray, PerSampleMetric, TrainingProbe
from tui_monitor.run_log.events.ledger import LAG, OWN_NOISE, Cause, KindPart


def train_mode_parts(
    probe: TrainingProbe,
    values: PerSampleMetric,
    classes: ClassWeights,
    multiplicity: FloatArray,
    opened: Opened | None,
    metric: str,
) -> tuple[KindPart, ...]:
    """Return the parts of the train-mode term, or none where it was not opened.

    Args:
        probe: as for the ledger.
        values: its loss or its accuracy.
        classes: weights of each class's samples.
        multiplicity: how often each batch counts in each resample, shape (rows, batches).
        opened: what was measured; None where nothing was.
        metric: `loss` or `accuracy`.
    """
    found = opened.batch_norm if opened is not None else None
    if opened is None or found is None:
        return ()
    anew = found.loss if metric == "loss" else found.correct
    own = found.own_loss if metric == "loss" else found.own_correct
    if anew.size != values.training.size:
        return ()
    rest = OWN_NOISE if own is not None or not opened.other_kinds else "+".join((OWN_NOISE, *opened.other_kinds))
    modes = [(rest, values.training if own is None else own, anew), (LAG, anew, values.inference)]
    if own is not None:
        modes.insert(0, ("+".join(opened.other_kinds), values.training, own))
    return tuple(
        _part(kind, probe, replace(values, training=before, inference=after), classes, multiplicity)
        for kind, before, after in modes
    )


def _part(
    kind: str, probe: TrainingProbe, values: PerSampleMetric, classes: ClassWeights, multiplicity: FloatArray
) -> KindPart:
    cause = Cause.TRAIN_MODE_LAYERS
    batches = multiplicity.shape[1]
    estimates = estimate(probe, values, classes, multiplicity)
    spread = deviations(estimates, batches, probe.epoch_batches, values)[cause]
    effect = float(estimates.toggles[0, 0])
    low, high = intervals({cause: effect}, {cause: np.asarray(spread)}, {})[cause]
    return KindPart(kind, effect, low, high)
