"""Keeps what validation said of each sample, of the last and the best epoch, in two small files of the run folder."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from tui_monitor.explain.samples.probes import NO_CLASS, FloatArray
from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.format.validation_samples import (
    BEST_FILE,
    LAST_FILE,
    MOST_SAMPLES,
    ValidationSamples,
    samples_to_bytes,
)
from tui_monitor.training.probe.validation_record import ValidationRecord
from tui_monitor.training.step.per_sample_metrics import PerSampleMetrics, Unsupported

_PAUSE_SECONDS: Final = 5.0
"""Between two writings of the same file, at least: epochs may end many times a second."""


class ValidationKeeper:
    """Holds the newest and the best validation of one `fit`, and writes them now and then."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare; nothing is written yet.

        Args:
            folder: the run folder.
            clock: seconds that never fall.
        """
        self._folder = folder
        self._clock = clock
        self._best_loss = float("inf")
        self._waiting: dict[str, ValidationSamples] = {}
        self._written_at = dict.fromkeys((LAST_FILE, BEST_FILE), -_PAUSE_SECONDS)

    def epoch_ended(self, fit: int, epoch: int, validation: ValidationRecord, metrics: PerSampleMetrics) -> None:
        """Keep an epoch's validation, if all of it was measured.

        Args:
            fit: from 1.
            epoch: from 1.
            validation: of this epoch, flushed; its reported loss is set.
            metrics: how to read the values of the model's only output, whose units are samples.

        Raises:
            OSError: a file can't be written.
        """
        samples = _samples(fit, epoch, validation, metrics)
        # Parts of a validation would be compared with all of another run's.
        if samples is None or validation.loss is None:
            return
        self._waiting[LAST_FILE] = samples
        if validation.loss < self._best_loss:
            self._best_loss = validation.loss
            self._waiting[BEST_FILE] = samples
        self._write(self._clock() - _PAUSE_SECONDS)

    def close(self) -> None:
        """Write what still waits.

        Raises:
            OSError: a file can't be written.
        """
        self._write(float("inf"))

    def _write(self, before: float) -> None:
        """Write each file that waits and was last written before a time of the clock."""
        for name in [name for name in self._waiting if self._written_at[name] <= before]:
            samples = self._waiting.pop(name)
            # Before it is written: a disk that fails is not tried again at each of many short epochs.
            self._written_at[name] = self._clock()
            replace_file(self._folder / name, samples_to_bytes(samples))


def _samples(fit: int, epoch: int, validation: ValidationRecord, metrics: PerSampleMetrics) -> ValidationSamples | None:
    batches = validation.by_sample
    if not batches or len(batches) != validation.batches or validation.samples.sum() > MOST_SAMPLES:
        return None
    try:
        parts = [metrics.taken(batch.rows, batch.samples) for batch in batches]
    except Unsupported:
        return None
    rows: dict[str, FloatArray] = dict(zip(metrics.rows, np.concatenate(parts, axis=1), strict=True))
    label, keys = rows["label"], validation.keys
    return ValidationSamples(
        fit=fit,
        epoch=epoch,
        loss=rows["loss"].astype(np.float32),
        correct=rows["correct"].astype(np.float32) if metrics.accuracy_name is not None else None,
        label=np.where(np.isfinite(label), label, NO_CLASS).astype(np.int32),
        key=keys.astype(np.uint64) if keys is not None and keys.shape == label.shape else None,
    )
