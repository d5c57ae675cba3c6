"""Compares what was noted of a test file bare and recorded; pure, so that it can be tested without training."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Note = Mapping[str, Any]
"""One line that the plugin has written."""

LEFT_BEHIND = ("attributes", "functions")
"""Parts of a fingerprint that are left on the model; the others are values and states."""


@dataclass(frozen=True)
class Run:
    """One run of a test file."""

    notes: Sequence[Note]
    code: int
    """Exit code of pytest, or of whatever ended it."""
    seconds: float

    @property
    def tests(self) -> dict[tuple[str, str], Note]:
        """What was noted of each test, by its name and stage."""
        return {(note["test"], note["when"]): note for note in self.notes if note["note"] == "test"}

    @property
    def fits(self) -> dict[tuple[str, int], Note]:
        """What was noted of each fit, by its test and number in it."""
        return {(note["test"], note["number"]): note for note in self.notes if note["note"] == "fit"}

    @property
    def fit_seconds(self) -> float:
        """Time in fits, those inside another left out."""
        return sum(float(note["seconds"]) for note in self.fits.values() if not note["depth"])

    @property
    def fit_processor_seconds(self) -> float:
        """Processor time in the same fits, of all threads: it depends less on what else the machine does."""
        return sum(float(note["processor"]) for note in self.fits.values() if not note["depth"])


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same."""

    test: str
    fit: int
    """Number of the fit in its test, or 0 for the test's outcome."""
    what: str
    """Which part of the fingerprint, or `outcome`."""
    bare: str
    recorded: str


@dataclass
class Comparison:
    """What a test file has shown."""

    name: str
    bare: Run
    recorded: Run
    differences: list[Difference] = field(default_factory=list)
    random: list[Difference] = field(default_factory=list)
    """Differences in what two bare runs do not have in common either."""
    unrecorded: list[tuple[str, int]] = field(default_factory=list)
    """Fits that ended well, trained, and are neither in the run nor in a sentence of it, by test and number."""
    stopped: list[tuple[str, int, str]] = field(default_factory=list)
    """Fits of which the run says in a sentence that they are not recorded, or not to their end."""

    @property
    def differing_tests(self) -> set[str]:
        """Tests with another outcome."""
        return {difference.test for difference in self.differences if not difference.fit}

    @property
    def differing_fits(self) -> set[tuple[str, int]]:
        """Fits with other values or states, or that are missing."""
        found = (each for each in self.differences if each.fit and each.what not in LEFT_BEHIND)
        return {(each.test, each.fit) for each in found}

    @property
    def leaving_fits(self) -> set[tuple[str, int]]:
        """Fits that leave something else on the model than bare."""
        return {(each.test, each.fit) for each in self.differences if each.what in LEFT_BEHIND}


def differences(one: Run, other: Run) -> list[Difference]:
    """Return what is not the same in two runs of a file: outcomes first, then fits."""
    found = []
    for test, when in sorted(one.tests.keys() | other.tests.keys()):
        sides = [run.tests.get((test, when)) for run in (one, other)]
        outcomes = ["missing" if note is None else note["outcome"] for note in sides]
        if outcomes[0] != outcomes[1]:
            told = [
                f"{outcome} in {when}: {note['said'] if note else ''}"
                for outcome, note in zip(outcomes, sides, strict=True)
            ]
            found.append(Difference(test, 0, "outcome", *told))
    if one.code != other.code and not found:
        found.append(Difference("(the whole file)", 0, "outcome", f"exit code {one.code}", f"exit code {other.code}"))
    for test, number in sorted(one.fits.keys() | other.fits.keys()):
        found += _of_a_fit(test, number, one.fits.get((test, number)), other.fits.get((test, number)))
    return found


def needs_another_look(found: Iterable[Difference]) -> bool:
    """Whether one of the differences may be chance: what is left on a model is none."""
    return any(each.what not in LEFT_BEHIND for each in found)


def _of_a_fit(test: str, number: int, one: Note | None, other: Note | None) -> list[Difference]:
    if one is None or other is None:
        return [Difference(test, number, "fit", *("missing" if note is None else "made" for note in (one, other)))]
    sides = one["fingerprint"], other["fingerprint"]
    return [
        Difference(test, number, part, *_where_they_part(sides[0][part], sides[1][part]))
        for part in sides[0]
        if sides[0][part] != sides[1][part]
    ]


def _where_they_part(one: str, other: str, around: int = 60) -> tuple[str, str]:
    """Return two texts from a little before their first difference on."""
    first = next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    begin = max(0, first - around)
    return one[begin : begin + 3 * around], other[begin : begin + 3 * around]


def compare(name: str, bare: Run, recorded: Run, again: Sequence[Run] = ()) -> Comparison:
    """Return what the runs of a file show.

    Args:
        name: of the file.
        bare: without the monitor.
        recorded: with it.
        again: further runs without it: what differs between the first and one of those says nothing.
    """
    comparison = Comparison(name, bare, recorded)
    noise = {(found.test, found.fit, found.what) for other in again for found in differences(bare, other)}
    loose = {(test, fit) for test, fit, _ in noise}
    for found in differences(bare, recorded):
        follows = found.fit and found.what not in LEFT_BEHIND and (found.test, found.fit) in loose
        is_random = follows or (found.test, found.fit, found.what) in noise
        (comparison.random if is_random else comparison.differences).append(found)
    for (test, number), note in recorded.fits.items():
        said = note["recorded"]
        if note["depth"] or said is None:
            continue
        if said["sentences"]:
            comparison.stopped.append((test, number, said["sentences"][0]))
        elif not said["fits"] and _has_trained(note):
            comparison.unrecorded.append((test, number))
    return comparison


def _has_trained(note: Note) -> bool:
    fingerprint = note["fingerprint"]
    return not fingerprint["exception"] and fingerprint["epochs"] not in ("[]", "None")


def table(comparisons: Iterable[Comparison]) -> list[str]:
    """Return the summary as rows of Markdown: one a file that fits, and the sum over all."""
    heads = "file | tests | fits | other outcome | other fit | other things left | not deterministic | unrecorded"
    heads += " | stopped, with a sentence | recorded ÷ bare, fits | the same, processor | recorded ÷ bare, all"
    rows = [f"| {heads} |", "|---|" + "---:|" * 11]
    all_of_them = list(comparisons)
    numbers = [_numbers(comparison) for comparison in all_of_them]
    for comparison, row in zip(all_of_them, numbers, strict=True):
        if row[1] or any(row[2:6]):
            rows.append(_row(comparison.name, row))
    sums = [sum(column) for column in zip(*numbers, strict=True)] if numbers else [0.0] * 14
    return [*rows, _row("**all**", sums)]


def _numbers(comparison: Comparison) -> list[float]:
    bare, recorded = comparison.bare, comparison.recorded
    loose = {(found.test, found.fit) for found in comparison.random}
    return [
        len({test for test, _ in recorded.tests}),
        len(recorded.fits),
        len(comparison.differing_tests),
        len(comparison.differing_fits),
        len(comparison.leaving_fits),
        len(loose),
        len(comparison.unrecorded),
        len(comparison.stopped),
        recorded.fit_seconds,
        bare.fit_seconds,
        recorded.fit_processor_seconds,
        bare.fit_processor_seconds,
        recorded.seconds,
        bare.seconds,
    ]


def _row(name: str, numbers: Sequence[float]) -> str:
    counts = " | ".join(f"{int(number)}" for number in numbers[:8])
    pairs = numbers[8:10], numbers[10:12], numbers[12:14]
    ratios = " | ".join(f"{over / under if under else 1.0:.2f}" for over, under in pairs)
    return f"| {name} | {counts} | {ratios} |"
