"""What became of each fault, one row each: the harness's only output."""

from collections.abc import Iterable
from dataclasses import dataclass

PROPERTY = "fault"
"""Name under which a test reports an outcome."""

_HEADINGS = (
    "fault",
    "tries",
    "records written",
    "records readable",
    "training finished",
    "screen recovered",
)


@dataclass(frozen=True)
class Outcome:
    """How a run came through a fault, all tries together."""

    fault: str
    tries: int
    written: int
    """Records whose write had returned, those that the run itself counts as lost left out."""
    readable: int
    """Records read afterwards that are what was written, in order; one in flight does not count."""
    finished: int | None = None
    """Tries after which the training ended by itself; None where the fault is its end."""
    recovered: int | None = None
    """Tries after which a screen shows the run as it is; None where no screen takes part."""

    @property
    def is_harmless(self) -> bool:
        """Whether nothing was lost, every training finished and every screen recovered."""
        counts = (self.finished, self.recovered)
        return self.readable == self.written and all(count in (None, self.tries) for count in counts)


def rows(outcomes: Iterable[Outcome]) -> list[str]:
    """Return the table as lines of text."""
    cells = [_HEADINGS, *(_cells(outcome) for outcome in outcomes)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADINGS))]
    return [
        "  ".join(cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in cells)
    ]


def _cells(outcome: Outcome) -> tuple[str, ...]:
    counts = (outcome.finished, outcome.recovered)
    return (
        outcome.fault,
        str(outcome.tries),
        str(outcome.written),
        str(outcome.readable),
        *("–" if count is None else f"{count} of {outcome.tries}" for count in counts),
    )
