"""What became of a fault: pure judgement over what a fit has shown, and the tables."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

_WRITES_SENTENCES = ("tui_monitor.run_log.",)
"""Functions without which a run may be unable to say anything at all."""


class Shown(Protocol):
    """What a fit has shown; see `fitting.Outcome`."""

    parts: dict[str, str]
    sentences: list[str]
    held: str
    escaped: list[str]


@dataclass(frozen=True)
class Fault:
    """One function that fails."""

    kind: str
    """Name of the kind of fit."""
    function: str
    mode: str


@dataclass
class Verdict:
    """What became of a fault."""

    fault: Fault
    raised: int
    """How often it was injected."""
    problems: list[str] = field(default_factory=list)
    """What it did to the training; none where the fit is the bare fit's in everything."""
    silence: str = ""
    """What is wrong with what the run says of it, or empty."""

    @property
    def is_harmless(self) -> bool:
        """Whether the training was the same and the run says so."""
        return not self.problems and not self.silence

    def row(self) -> str:
        """Return the fault and what became of it as a line."""
        became = "; ".join([*self.problems, *([self.silence] if self.silence else [])]) or "the same"
        if not self.raised:
            became += " (not reached)"
        return f"{self.fault.function} | {self.fault.kind} | {self.fault.mode} | {became}"


def judge(
    fault: Fault,
    raised: int,
    shown: Shown,
    bare: Mapping[str, str],
    plain: Mapping[str, str],
    held: str,
    *,
    first_failures: int = 0,
) -> Verdict:
    """Return what became of a fault.

    Args:
        fault: what was injected.
        raised: how often.
        shown: by the fit with the fault.
        bare: parts of the fit without the monitor.
        plain: parts of the recorded fit without a fault: what differs there is not the fault's doing.
        held: by the run of the recorded fit without a fault: a run that holds as much needs no sentence.
        first_failures: how many functions fail beside it; each may have a sentence of its own.
    """
    problems = []
    for part, value in shown.parts.items():
        if value not in (bare[part], plain[part]) and not _are_whole_hooks(part, value, plain[part]):
            problems.append(f"{part}: {_cut(value, bare[part])}")
    problems += [f"escaped: {text}" for text in shown.escaped[:1]]
    silence = ""
    if raised and len(shown.sentences) > 1 + first_failures:
        silence = f"{len(shown.sentences)} sentences"
    elif raised and not shown.sentences and shown.held != held and not _may_be_silent(fault):
        silence = f"no sentence, though the run holds {shown.held} for {held}"
    return Verdict(fault, raised, problems, silence)


def _are_whole_hooks(part: str, value: str, plain: str) -> bool:
    """Whether no hooks stand, or those alone by which a fit's callbacks tell of it, or those of one Keras."""
    names = plain.split(", ")
    of_callbacks = [name for name in names if name.endswith(".fit") or ".CallbackList." in name]
    of_one = ([name for name in names if name.startswith(f"{package}.")] for package in ("keras", "tf_keras"))
    return part == "patched" and value in map(", ".join, ([], of_callbacks, *of_one))


def _may_be_silent(fault: Fault) -> bool:
    return fault.function.startswith(_WRITES_SENTENCES)


def _cut(value: str, other: str, most: int = 140) -> str:
    first = next((index for index, (a, b) in enumerate(zip(value, other, strict=False)) if a != b), 0)
    begin = max(0, first - 20)
    return f"{value[begin : begin + most]!r} for {other[begin : begin + most]!r}"


def summary(verdicts: Sequence[Verdict]) -> list[str]:
    """Return how many faults of each mode did what."""
    rows = ["", "| calls that fail | faults | training the same | not the same | only the sentence is wrong |"]
    rows.append("|---|---:|---:|---:|---:|")
    for mode in dict.fromkeys(verdict.fault.mode for verdict in verdicts):
        of_mode = [verdict for verdict in verdicts if verdict.fault.mode == mode]
        harmed = sum(bool(verdict.problems) for verdict in of_mode)
        silent = sum(bool(verdict.silence) and not verdict.problems for verdict in of_mode)
        rows.append(f"| {mode} | {len(of_mode)} | {len(of_mode) - harmed} | {harmed} | {silent} |")
    kinds = Counter(verdict.problems[0].split(":")[0] for verdict in verdicts if verdict.problems)
    return [*rows, f"First thing that was not the same: {dict(kinds.most_common())}"]


def coverage(
    functions: Iterable[str], reached: Mapping[str, Mapping[str, int]], verdicts: Iterable[Verdict]
) -> list[str]:
    """Return how many functions were reached by a fit and made to fail, and which were reached by none."""
    known = sorted(set(functions))
    hit = {function for of_kind in reached.values() for function in of_kind}
    missed = [function for function in known if function not in hit]
    failed = {verdict.fault.function for verdict in verdicts if verdict.raised}
    return [f"{len(hit)} of {len(known)} functions are reached by a fit; {len(failed & hit)} were made to fail."] + [
        f"not reached by any: {function}" for function in missed
    ]


def listing(reached: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return every function that a fit reaches, in order of its name, with the first kind of fit that does."""
    first: dict[str, str] = {}
    for kind, calls in reached.items():
        for function in calls:
            first.setdefault(function, kind)
    return [f"{function} | {first[function]}" for function in sorted(first)]
