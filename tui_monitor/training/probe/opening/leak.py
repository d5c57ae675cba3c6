"""Looks for validation samples that stand in training, by fingerprints of both sides' inputs as they are fed."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tui_monitor.explain.evidence.copies import CLEAR_P_VALUE, copies_p_value
from tui_monitor.explain.quantiles import NORMAL_QUANTILE
from tui_monitor.explain.samples.observed import Observed, ValidationChange
from tui_monitor.explain.samples.opened import NOT_COMPARED, Leak, Matches
from tui_monitor.explain.samples.probes import IntArray, ValidationProbe
from tui_monitor.run_log.events.opened import CopiedSample, FoundLeak
from tui_monitor.training.probe.batches import UnpackedBatch, concatenate, same_shapes
from tui_monitor.training.probe.opening.epoch_to_open import EpochToOpen
from tui_monitor.training.probe.opening.fingerprints import (
    Fingerprints,
    KnownSamples,
    Places,
    fingerprints,
    mixed,
    packed,
    repeated_pairs,
    unpacked,
)
from tui_monitor.training.probe.opening.near import NearCopies, NearSearch, Training, Validation

_MOST_EXAMPLES: Final = 20
_COMES_BACK: Final = 0.5
"""Fraction of what is expected to come back in a later epoch from which training's samples count as the same."""
_FEWEST_BACK: Final = 20
_ALL: Final = 0.999
"""Fraction of training from which all of it counts as known."""
_COMPARED: Final = 0.9
"""Fraction of training's samples from which near-copies count as looked for."""
_AT_ONCE: Final = 2048
"""Samples that are fingerprinted together at most."""
_FEWEST_NEAR: Final = 0.02
"""Part of the near-copies that must not be exact ones."""
_LOOKED_AT: Final = 2
"""Batches of validation that are compared with those of the epoch before."""
_NO_HIT: Final = 3.0
"""Upper end of the 95 % interval of a Poisson mean of which nothing was seen (Hanley and Lippman-Hand, JAMA, 1983)."""


Placed = tuple[IntArray | int, UnpackedBatch]
"""A batch with the index of each of its samples, or with one number for all."""


@dataclass(frozen=True)
class _Printed:
    """Fingerprints of one side's samples, shape (n,) each."""

    inputs: Fingerprints
    labels: Fingerprints
    places: Places
    """Of training: see `packed`; of validation: the index among its samples."""


@dataclass
class LeakSearch:
    """Training samples seen so far in a fit."""

    known: KnownSamples = field(default_factory=KnownSamples.none)
    _first_epoch: int = 0
    """The first epoch that was searched, from 1; 0 before it."""
    _searched: int = 0
    """The newest."""
    _fraction: float = 0.0
    """Of training's samples that are known."""
    _fraction_error: float = 0.0
    _repeats: bool = False
    _back: tuple[float, int] = (0.0, 0)
    """Of the newest training samples, how many were to be expected from earlier epochs, and how many were known."""
    _here: _Printed | None = None
    """Validation, as it was fingerprinted last."""
    _whole: Fingerprints | None = None
    """Of all of validation, labels included, sorted, as it was last seen whole."""
    seen: Observed = field(default_factory=Observed)
    """What the newest search has seen beside copies."""
    _there: _Printed | None = None
    """Training batches of one epoch, as they were fingerprinted last."""
    _near: NearSearch = field(default_factory=NearSearch)

    def search(
        self,
        opened: EpochToOpen,
        validation: Sequence[tuple[IntArray, UnpackedBatch]],
        deadline: float,
    ) -> Leak | None:
        """Return which validation samples stand in training, as far as both were kept.

        Args:
            opened: the epoch.
            validation: kept batches with the index of each sample.
            deadline: by `time.perf_counter`, after which no further batch is looked at.

        Returns:
            None where nothing could be compared.
        """
        epoch = opened.epoch
        here = self._validation_printed(validation, epoch, deadline)
        added: Training | None = None
        # An epoch may be measured once more, as the last: its batches come back then, and say nothing.
        if self._there is None or not (self._knows_all or epoch == self._searched):
            self._searched = epoch
            training = opened.placed_training
            # In random order, so that what the time allows is a random part.
            order = np.random.default_rng(epoch).permutation(len(training))
            placed = [(packed(epoch, *_place(training[index])), training[index][1]) for index in order]
            self._there = _printed(placed, deadline)
            if self._there is not None:
                is_new = self._add(epoch, self._there, opened.samples)
                added = Training([batch for _, batch in placed], is_new, self._there.places)
        self._note_change(here, opened.side)
        if here is None or self._there is None:
            return None
        exact = self._compared(here, self._there, opened.side)
        near = self._near.search(added, _known(here, validation), deadline, adds=self._repeats)
        if near is None:
            return replace(exact, misses_near=self._near.applies)
        return self._with_near(exact, near, here, opened.samples)

    def _note_change(self, here: _Printed | None, side: ValidationProbe) -> None:
        """Compare all of validation with what it was when it was last seen whole, whatever its order."""
        self.seen = Observed()
        if here is None or here.inputs.size != side.loss.size:
            return
        now = np.sort(mixed([here.inputs, here.labels]))
        before, self._whole = self._whole, now
        repeats = repeated_pairs(self._there.inputs) if self._there is not None else 0
        change = None
        if before is not None and not np.array_equal(before, now):
            change = ValidationChange(int(before.size), int(now.size), _in_both(before, now))
        self.seen = Observed(
            validation_change=change,
            validation_samples=int(now.size),
            validation_distinct=int(np.unique(now).size),
            training_repeats=repeats,
            training_expected_back=self._back[0],
            training_back=self._back[1],
        )

    @property
    def _knows_all(self) -> bool:
        return self._repeats and self._fraction > _ALL

    def _validation_printed(
        self, validation: Sequence[tuple[IntArray, UnpackedBatch]], epoch: int, deadline: float
    ) -> _Printed | None:
        """Return validation's fingerprints: those of the epoch before, where a look at two batches finds them again."""
        # A generator of its own, seeded by the epoch: training's random numbers stay untouched.
        chosen = np.random.default_rng(epoch).permutation(len(validation))[:_LOOKED_AT]
        looked = _printed([validation[index] for index in chosen], math.inf)
        if looked is None or self._here is None or not _holds(self._here, looked, validation):
            self._here = _printed(validation, deadline)
        return self._here

    def _add(self, epoch: int, there: _Printed, samples: int) -> NDArray[np.bool_]:
        """Add training samples, and estimate which fraction of all is known now (Lincoln and Petersen's estimator).

        Returns:
            Which samples are different ones that were not known, shape (n,).
        """
        before, seen = self.known, self.known.find(there.inputs)[0]
        is_new = np.zeros(seen.size, dtype=bool)
        is_new[np.unique(there.inputs, return_index=True)[1]] = True
        is_new &= ~seen
        self._estimate(epoch, before, there, seen, samples)
        # Where training's samples don't come back, an epoch stands for itself.
        return is_new if self._repeats or epoch == self._first_epoch else is_new | seen

    def _estimate(
        self, epoch: int, before: KnownSamples, there: _Printed, seen: NDArray[np.bool_], samples: int
    ) -> None:
        self.known = self.known.joined(there.inputs, there.labels, there.places)
        if not self._first_epoch:
            self._first_epoch = epoch
            self._fraction = min(1.0, self.known.inputs.size / max(samples, 1))
            return
        back = float(seen.mean())
        self._back = min(1.0, before.inputs.size / max(samples, 1)) * there.inputs.size, int(seen.sum())
        self._repeats = self._repeats or (
            int(seen.sum()) >= _FEWEST_BACK and back >= _COMES_BACK * min(1.0, before.inputs.size / max(samples, 1))
        )
        if not self._repeats:
            self._fraction = min(1.0, self.known.inputs.size / max(samples * epoch, 1))
            return
        grown = self.known.inputs.size / max(before.inputs.size, 1)
        self._fraction = min(1.0, back * grown)
        self._fraction_error = math.sqrt(back * (1.0 - back) / there.inputs.size) * grown

    def _compared(self, here: _Printed, there: _Printed, side: ValidationProbe) -> Leak:
        found, index = self.known.find(here.inputs)
        matched: Matches = np.full(side.loss.size, NOT_COMPARED, dtype=np.int8)
        matched[here.places] = found
        copies, compared = int(found.sum()), int(found.size)
        repeats = repeated_pairs(here.inputs) + repeated_pairs(there.inputs)
        within = (_pairs(here.inputs.size) + _pairs(there.inputs.size)) * 1.0
        p_value = copies_p_value(copies, float(self.known.inputs.size) * compared, repeats, within)
        same = self.known.labels[index[found]] == here.labels[found]
        share, low, high = self._share(copies, compared, self._fraction)
        report = FoundLeak(
            copies=copies,
            compared=compared,
            training_compared=int(self.known.inputs.size),
            training_fraction=float(self._fraction),
            fraction=float(share),
            fraction_low=float(low),
            fraction_high=float(high),
            repeats_within=repeats,
            p_value=p_value,
            same_label=float(same.mean()) if copies else None,
            examples=self._examples(here.places[found], index[found]),
        )
        return Leak(
            matched,
            max(self._fraction, 1e-9),
            self._fraction_error,
            report,
            is_beyond_chance=p_value < CLEAR_P_VALUE,
            repeats=self._repeats,
        )

    def _with_near(self, exact: Leak, near: NearCopies, here: _Printed, samples: int) -> Leak:
        """Return what was found with the near-copies, where there are more of them than of exact ones alone.

        Exact copies are among the near ones; both are then counted among the samples that were compared for these.
        """
        places = here.places[near.rows]
        is_copy = near.is_copy
        added = int((is_copy & (exact.matched[places] != 1)).sum())
        distinct = self.known.inputs.size / max(self._fraction, 1e-9) if self._repeats else samples
        covered = min(1.0, near.compared / max(distinct, 1))
        if added <= _FEWEST_NEAR * is_copy.sum():
            # Among a part of training's samples, copies may be too few to stand out.
            return replace(exact, misses_near=covered < _COMPARED)
        matched: Matches = np.full(exact.matched.size, NOT_COMPARED, dtype=np.int8)
        matched[places] = is_copy
        copies = int(is_copy.sum())
        share, low, high = self._share(copies, is_copy.size, covered)
        order = np.flatnonzero(is_copy)[np.argsort(places[is_copy])][:_MOST_EXAMPLES]
        examples = tuple(CopiedSample(int(places[i]), *unpacked(int(near.places[i]))) for i in order)
        report = replace(
            exact.found,
            copies=copies,
            compared=int(is_copy.size),
            training_compared=near.compared,
            training_fraction=covered,
            fraction=share,
            fraction_low=low,
            fraction_high=high,
            p_value=near.p_value,
            same_label=None,
            examples=examples,
            near=added,
        )
        return Leak(
            matched,
            covered,
            self._fraction_error,
            report,
            is_beyond_chance=True,
            repeats=self._repeats,
            doubtful=max(1.0, near.doubtful),
        )

    def _share(self, copies: int, compared: int, covered: float) -> tuple[float, float, float]:
        """Return the estimated fraction of validation that stands in training, with its 95 % interval."""
        covered = max(covered, 1e-9)
        if not copies:
            return 0.0, 0.0, min(1.0, _NO_HIT / (compared * covered))
        share = min(1.0, copies / (compared * covered))
        missed = max(0.0, 1.0 - covered) / copies
        half = NORMAL_QUANTILE * share * math.sqrt(missed + (self._fraction_error / covered) ** 2)
        return share, max(copies / compared, share - half), min(1.0, share + half)

    def _examples(self, samples: IntArray, known: IntArray) -> tuple[CopiedSample, ...]:
        order = np.argsort(samples)[:_MOST_EXAMPLES]
        places = [unpacked(int(self.known.places[known[place]])) for place in order]
        return tuple(CopiedSample(int(samples[i]), *place) for i, place in zip(order, places, strict=True))

    def fraction_seen_before(self, epoch: int, batches: int, fresh: Sequence[tuple[int, UnpackedBatch]]) -> float:
        """Return the fraction of batches' samples that were trained on in an epoch's first batches, as far as known.

        Args:
            epoch: from 1.
            batches: how many of the epoch come before.
            fresh: batches that come after, with their numbers.
        """
        printed = _printed(fresh, math.inf)
        if printed is None:
            return 0.0
        found, index = self.known.find(printed.inputs)
        places = self.known.places[index[found]]
        return float((places < packed(epoch, batches, 1)[0]).sum()) / printed.inputs.size


def _holds(whole: _Printed, part: _Printed, validation: Sequence[tuple[IntArray, UnpackedBatch]]) -> bool:
    """Whether fingerprints of all of validation cover it as it is now, and hold those of a part of it."""
    places, order = np.sort(whole.places), np.argsort(whole.places)
    wanted = np.concatenate([sample for sample, _ in validation])
    if wanted.size != places.size or (np.sort(wanted) != places).any():
        return False
    at = order[np.searchsorted(places, part.places)]
    return bool((whole.inputs[at] == part.inputs).all() and (whole.labels[at] == part.labels).all())


def _known(here: _Printed, validation: Sequence[tuple[IntArray, UnpackedBatch]]) -> Validation:
    return Validation(here, here.inputs.size, [batch for _, batch in validation])


def _in_both(before: Fingerprints, now: Fingerprints) -> int:
    """Return how many of the samples of now were there before, each as often as it was."""
    values, counts = np.unique(now, return_counts=True)
    left = np.searchsorted(before, values, side="left")
    there = np.searchsorted(before, values, side="right") - left
    return int(np.minimum(counts, there).sum())


def _place(entry: tuple[int, UnpackedBatch]) -> tuple[int, int]:
    return entry[0], entry[1].samples


def _pairs(count: int) -> float:
    return count * (count - 1) / 2


def _printed(batches: Sequence[Placed], deadline: float) -> _Printed | None:
    """Return fingerprints of batches, of fewer where time is short; None without any."""
    inputs: list[Fingerprints] = []
    labels: list[Fingerprints] = []
    places: list[IntArray] = []
    placed = iter(batches)
    for group in same_shapes([batch for _, batch in batches], _AT_ONCE):
        if inputs and time.perf_counter() > deadline:
            break
        joined = concatenate(group)
        inputs.append(fingerprints(joined.inputs["x"]))
        labels.append(fingerprints(joined.inputs["y"]) if joined.inputs["y"] else np.zeros_like(inputs[-1]))
        with_places = [next(placed) for _ in group]
        places += [np.broadcast_to(np.asarray(at, dtype=np.int64), (batch.samples,)) for at, batch in with_places]
    if not inputs:
        return None
    return _Printed(np.concatenate(inputs), np.concatenate(labels), np.concatenate(places))
