"""Successive fits of one model as one: a loop of `fit(epochs=1)` is one training to the person who wrote it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tui_monitor.history.batches.series import BatchSeries
from tui_monitor.history.snapshot import FitSnapshot

_MOST_BATCHES = 500_000
"""Batches up to which the curves of single batches are put together; beyond, those of epochs alone are."""


def fits_of_one_model(fits: Sequence[FitSnapshot], index: int) -> tuple[FitSnapshot, ...]:
    """Return the fits around one of them that trained the same model, one after the other; itself alone without any.

    Args:
        fits: all of a run.
        index: of the fit, from 1.
    """
    own = fits[index - 1]
    first = last = index - 1
    while first > 0 and _is_one_model(fits[first - 1], own):
        first -= 1
    while last + 1 < len(fits) and _is_one_model(fits[last + 1], own):
        last += 1
    return tuple(fits[first : last + 1])


def _is_one_model(fit: FitSnapshot, other: FitSnapshot) -> bool:
    instance = other.info.model.get("instance")
    same_model = instance is not None and fit.info.model.get("instance") == instance
    return same_model and fit.info.metrics == other.info.metrics


def joined(fits: Sequence[FitSnapshot]) -> FitSnapshot:
    """Return fits as one whose epochs count on from fit to fit.

    Args:
        fits: at least one, all with the same metrics.
    """
    newest, batches, epochs = fits[-1], 0, 0
    starts, numbers, rows, explanations = [], [], [], []
    for fit in fits:
        shift = epochs - fit.info.initial_epoch
        starts += [batches + start for start in fit.epoch_starts]
        numbers += [epochs + 1 + position for position in range(len(fit.epoch_starts))]
        rows += [replace(row, epoch=row.epoch + shift) for row in fit.epochs]
        explanations += [replace(held, epoch=held.epoch + shift) for held in fit.explanations]
        epochs += max(len(fit.epoch_starts), len(fit.epochs))
        batches += fit.batches
    series = {}
    if batches <= _MOST_BATCHES:
        for name in newest.series:
            values = [fit.series[name].values() for fit in fits if name in fit.series]
            series[name] = BatchSeries.of(np.concatenate(values))
    return FitSnapshot(
        info=replace(newest.info, epochs=None, initial_epoch=0),
        series=series,
        epoch_starts=tuple(starts) if series else (),
        first_epoch=1,
        epoch_numbers=tuple(numbers) if series else (),
        epochs=tuple(rows),
        explanations=tuple(explanations),
        batches=batches if series else 0,
    )


class JoinedFits:
    """Remembers the newest join: a screen asks for it several times a frame."""

    def __init__(self) -> None:
        self._fits: tuple[FitSnapshot, ...] = ()
        self._joined: FitSnapshot | None = None

    def of(self, fits: tuple[FitSnapshot, ...]) -> FitSnapshot:
        """Return what `joined` does; the same object while the fits are the same."""
        is_same = len(fits) == len(self._fits) and all(map(_is, fits, self._fits))
        if self._joined is None or not is_same:
            self._fits, self._joined = fits, joined(fits)
        return self._joined


def _is(one: object, other: object) -> bool:
    return one is other
