"""What differs in the arguments of runs of one script: what all of them share says nothing about any."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tui_monitor.run_log.runs.arguments import varying
from tui_monitor.run_log.runs.entry import RunEntry


@dataclass(frozen=True)
class Differences:
    """Which arguments vary among the runs of each script."""

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Script to the names of its arguments that vary, in the order in which they are first given."""

    def of(self, entry: RunEntry) -> tuple[tuple[str, str], ...]:
        """Return the arguments by which a run can be told from others of its script: names and values."""
        return tuple(
            (name, entry.arguments[name]) for name in self.names.get(entry.script, ()) if name in entry.arguments
        )

    def text(self, entry: RunEntry) -> str:
        """Return them in a line, such as `lr=0.1 units=64`."""
        given = entry.arguments
        return " ".join([f"{name}={given[name]}" for name in self.names.get(entry.script, ()) if name in given])


def differences(entries: Iterable[RunEntry]) -> Differences:
    """Return what varies among runs."""
    by_script: dict[str, list[RunEntry]] = {}
    for entry in entries:
        if not entry.problem:
            by_script.setdefault(entry.script, []).append(entry)
    return Differences({script: varying(_comparable(runs)) for script, runs in by_script.items()})


def _comparable(runs: Sequence[RunEntry]) -> list[Mapping[str, str]]:
    """Return the arguments of each run; where no fit has begun yet, those of fit and model are taken to be as usual."""
    usual = next((run.arguments for run in runs if run.fits), {})
    return [run.arguments if run.fits else {**usual, **run.arguments} for run in runs]
