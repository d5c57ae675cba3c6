"""Whether both sides' inputs are on one scale, and if not, what maps validation's onto training's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_monitor.explain.samples.probes import FloatArray
from tui_monitor.run_log.events.opened import ChannelMoments, Histogram, InputScale

WORTH_MAPPING = 0.2
"""Deviations by which means, or logarithms by which deviations, must differ."""
_SURE = 1e-7
"""Probability that chance makes equal moments of any channel look different."""
_HEAVY_TAILS = 2.0
"""Times as many standard errors for deviations as for means: with heavy tails, a sample understates that error."""
_NEAR_ZERO = 0.1
_FEWEST_SAMPLES = 32
_MOST_CHANNELS_RECORDED = 8
_BINS = 12

_PATTERNS = (
    ("x / 255", "run from 0 to 255 where training's run from 0 to 1", 1 / 255, 0.0),
    ("x * 255", "run from 0 to 1 where training's run from 0 to 255", 255.0, 0.0),
    ("x / 127.5 - 1", "run from 0 to 255 where training's run from −1 to 1", 1 / 127.5, -1.0),
    ("(x + 1) * 127.5", "run from −1 to 1 where training's run from 0 to 255", 127.5, 127.5),
    ("2 * x - 1", "run from 0 to 1 where training's run from −1 to 1", 2.0, -1.0),
    ("(x + 1) / 2", "run from −1 to 1 where training's run from 0 to 1", 0.5, 0.5),
)
"""Usual mappings from validation's inputs to training's: code, words, factor, offset."""


@dataclass(frozen=True)
class SideMoments:
    """One input as one side feeds it; arrays of shape (samples, channels)."""

    mean: FloatArray
    """Of each sample's values of each channel."""
    square: FloatArray
    """Mean of their squares."""
    is_whole: bool
    """Whether all values are whole numbers."""
    values: FloatArray
    """Some of the values, shape (some, channels)."""


@dataclass(frozen=True)
class Mapping:
    """What maps one input of validation onto training's scale: value · factor + offset, shape (channels,) each."""

    factor: FloatArray
    offset: FloatArray
    scale: InputScale

    @property
    def is_mapped(self) -> NDArray[np.bool_]:
        """Which channels it changes, shape (channels,)."""
        return np.asarray((self.factor != 1.0) | (self.offset != 0.0), dtype=bool)


def scale_mapping(
    train: SideMoments, validation: SideMoments, number: int, channels: NDArray[np.bool_] | None = None
) -> Mapping | None:
    """Return what maps validation's input to training's scale, or None where both are on one within chance.

    Args:
        train: at least two samples; too few are never mapped.
        validation: the same.
        number: of the input among the model's, from 0.
        channels: to map by their moments, whether they differ beyond chance or not; None for those that do.
    """
    there, here = _Moments.of(train), _Moments.of(validation)
    differs = _differs(there, here) if channels is None else channels
    is_few = channels is None and min(len(train.mean), len(validation.mean)) < _FEWEST_SAMPLES
    if is_few or not differs.any():
        return None
    pattern = _usual(there, here) if channels is None else None
    is_whole = train.is_whole and validation.is_whole
    if pattern is not None:
        code, words, factor, offset = pattern
        size = here.mean.size
        return Mapping(
            np.full(size, factor),
            np.full(size, offset),
            _scale(code, words, differs, train, validation, number),
        )
    if is_whole:
        return None
    factors: FloatArray = np.where(differs, there.deviation / np.where(here.deviation > 0, here.deviation, 1.0), 1.0)
    offsets: FloatArray = np.where(differs, there.mean - here.mean * factors, 0.0)
    return Mapping(factors, offsets, _scale("", _in_words(there, here), differs, train, validation, number))


@dataclass(frozen=True)
class _Moments:
    """One side's moments of each channel with their standard errors, shape (channels,) each."""

    mean: FloatArray
    deviation: FloatArray
    mean_error: FloatArray
    log_deviation_error: FloatArray

    @staticmethod
    def of(side: SideMoments) -> "_Moments":
        count = max(len(side.mean), 2)
        mean = side.mean.mean(axis=0)
        variance = np.maximum(side.square.mean(axis=0) - mean**2, 0.0)
        around = side.square - 2 * side.mean * mean + mean**2
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(variance > 0, around.std(axis=0) / (2 * variance), np.inf)
        return _Moments(
            mean,
            np.where(variance > 1e-12 * (mean**2), np.sqrt(variance), 0.0),
            side.mean.std(axis=0) / math.sqrt(count),
            relative / math.sqrt(count),
        )


def _differs(train: _Moments, validation: _Moments) -> NDArray[np.bool_]:
    """Return which channels differ beyond chance, and by enough to matter; constant ones never."""
    usable = (train.deviation > 0) & (validation.deviation > 0)
    usable &= np.isfinite(train.mean) & np.isfinite(validation.mean)
    sure = math.sqrt(2 * math.log(max(train.mean.size, 1) * 4 / _SURE))
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.abs(train.mean - validation.mean)
        pooled = np.sqrt((train.deviation**2 + validation.deviation**2) / 2)
        shifted = (shift > WORTH_MAPPING * pooled) & (shift > sure * np.hypot(train.mean_error, validation.mean_error))
        ratio = np.abs(np.log(train.deviation / validation.deviation))
        error = np.hypot(train.log_deviation_error, validation.log_deviation_error)
        stretched = (ratio > WORTH_MAPPING) & (ratio > _HEAVY_TAILS * sure * error)
    return np.asarray(usable & (shifted | stretched), dtype=bool)


def _usual(train: _Moments, validation: _Moments) -> tuple[str, str, float, float] | None:
    """Return the usual mapping that brings nearly every channel to training's moments, or None."""
    usable = (train.deviation > 0) & (validation.deviation > 0)
    for code, words, factor, offset in _PATTERNS:
        mean, deviation = validation.mean * factor + offset, validation.deviation * factor
        with np.errstate(divide="ignore", invalid="ignore"):
            near = np.abs(mean - train.mean) < 0.5 * train.deviation
            near &= np.abs(np.log(deviation / train.deviation)) < 1.5 * WORTH_MAPPING
        if usable.any() and near[usable].mean() >= 0.9:
            return code, words, factor, offset
    return None


def _in_words(train: _Moments, validation: _Moments) -> str:
    if _is_standardised(train) and not _is_standardised(validation):
        return "are not standardised where training's are (mean 0, deviation 1)"
    if _is_standardised(validation) and not _is_standardised(train):
        return "are standardised (mean 0, deviation 1) where training's are not"
    if _is_centred(train) and not _is_centred(validation):
        return "are not centred where training's have mean 0"
    if _is_centred(validation) and not _is_centred(train):
        return "have mean 0 where training's are not centred"
    return ""


def _is_standardised(side: _Moments) -> bool:
    usable = side.deviation > 0
    unit = np.abs(np.log(np.where(usable, side.deviation, 1.0))) < WORTH_MAPPING
    return bool(_is_centred(side) and unit[usable].mean() >= 0.9)


def _is_centred(side: _Moments) -> bool:
    usable = side.deviation > 0
    return bool(
        usable.any() and (np.abs(side.mean) < _NEAR_ZERO * side.deviation + 3 * side.mean_error)[usable].mean() >= 0.9
    )


def _scale(
    code: str, words: str, differs: NDArray[np.bool_], train: SideMoments, validation: SideMoments, number: int
) -> InputScale:
    there, here = _Moments.of(train), _Moments.of(validation)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(there.mean - here.mean) / there.deviation + np.abs(np.log(there.deviation / here.deviation))
    order = np.argsort(-np.where(differs, apart, -1.0))[: min(_MOST_CHANNELS_RECORDED, int(differs.sum()))]
    return InputScale(
        pattern=code,
        pattern_name=words,
        channels=tuple(
            ChannelMoments(
                number,
                int(channel),
                float(there.mean[channel]),
                float(there.deviation[channel]),
                float(here.mean[channel]),
                float(here.deviation[channel]),
            )
            for channel in order
        ),
        differing=int(differs.sum()),
        of_channels=int(differs.size),
        histogram=_histogram(train.values[:, order[0]], validation.values[:, order[0]]),
    )


def _histogram(train: FloatArray, validation: FloatArray) -> Histogram | None:
    sides = [side[np.isfinite(side)] for side in (train, validation)]
    if not all(side.size for side in sides):
        return None
    edges = np.histogram_bin_edges(np.concatenate(sides), _BINS)
    counts: Sequence[FloatArray] = [np.histogram(side, edges)[0] / side.size for side in sides]
    return Histogram(tuple(map(float, edges)), *(tuple(map(float, count)) for count in counts))
