"""Random probes of both sides."""

import math

import numpy as np
from hypothesis import strategies as st

from tui_monitor.explain.samples.probes import Averaging, PerSampleMetric, TrainingProbe, ValidationProbe, Weighting

PROBES = st.builds(
    lambda **choices: make_probe(**choices),  # noqa: PLW0108 - defined below
    seed=st.integers(0, 2**32 - 1),
    batches=st.integers(1, 12),
    classes=st.integers(2, 5),
    averaging=st.sampled_from(Averaging),
    weighting=st.sampled_from(Weighting),
    probed=st.floats(0.1, 1.0),
)


def make_probe(
    seed: int,
    batches: int = 8,
    classes: int = 2,
    averaging: Averaging = Averaging.SAMPLES,
    weighting: Weighting = Weighting.PER_SAMPLE,
    probed: float = 1.0,
) -> tuple[TrainingProbe, ValidationProbe]:
    """Return random probes of both sides."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(1, 20, batches)
    count = int(sizes.sum())
    label = generator.integers(0, classes, count)
    loss, correct = generator.exponential(0.5, count), (generator.random(count) < 0.7).astype(float)
    probe = TrainingProbe(
        batch=np.repeat(np.arange(batches), sizes),
        label=label,
        predicted=generator.integers(0, classes, count),
        weight=generator.uniform(0, 3, count),
        loss=PerSampleMetric(loss * 1.1, loss * generator.uniform(0.8, 1.2, count), loss, 0.7, averaging, weighting),
        accuracy=PerSampleMetric(correct, correct, correct, 0.8, averaging, Weighting.NONE),
        epoch_batches=math.ceil(batches / probed),
        epoch_class_counts=np.bincount(label, minlength=classes) * 3 + generator.integers(0, 5, classes),
    )
    size = int(generator.integers(1, 60))
    validation_label = generator.integers(0, classes, size)
    validation = ValidationProbe(
        batch=np.arange(size) // 8,
        label=validation_label,
        predicted=generator.integers(0, classes, size),
        weight=np.ones(size),
        loss=generator.exponential(0.5, size),
        correct=(generator.random(size) < 0.7).astype(float),
        reported_loss=0.5,
        reported_accuracy=0.78,
        class_counts=np.bincount(validation_label, minlength=classes),
        complete=bool(generator.random() < 0.5),
    )
    return probe, validation
