"""All that a comparison takes from one run folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tui_monitor.history.load_epochs import load_epochs
from tui_monitor.history.snapshot import EpochRow, ExplanationAt, FitSnapshot, Snapshot
from tui_monitor.run_log.events.explanation import Explanation
from tui_monitor.run_log.format.validation_samples import BEST_FILE, LAST_FILE, ValidationSamples, read_samples
from tui_monitor.run_log.runs.arguments import arguments_of, script_of
from tui_monitor.run_log.runs.origin import Origin, read_origin
from tui_monitor.run_log.runs.parameters import read_parameters


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """One of the two runs."""

    name: str
    snapshot: Snapshot
    """Its epochs and explanations; no batches."""
    fit: FitSnapshot | None
    """The newest call of `fit` in which an epoch has ended."""
    origin: Origin
    samples: ValidationSamples | None
    """Of the moment that is compared."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What its script has noted."""

    @property
    def arguments(self) -> dict[str, str]:
        """Names and values of what it was started with."""
        return {**self.parameters, **arguments_of(self.snapshot.run)}

    @property
    def script(self) -> str:
        """What it trains."""
        return script_of(self.snapshot.run.command)

    @property
    def epoch(self) -> EpochRow | None:
        """The epoch that is compared: that of the samples, else the last one."""
        rows = self.fit.epochs if self.fit is not None else ()
        if self.samples is not None:
            rows = tuple(row for row in rows if row.epoch == self.samples.epoch) or rows
        return rows[-1] if rows else None

    @property
    def explanation(self) -> Explanation | None:
        """The explanation of the epoch that is compared, else of the nearest before it, else the first."""
        measured = [held for held in self.fit.explanations if held.batch is None] if self.fit is not None else []
        epoch = self.epoch
        before = [held for held in measured if epoch is None or held.epoch <= epoch.epoch]
        chosen: ExplanationAt | None = (before or measured[:1] or [None])[-1]  # type: ignore[list-item]
        explanation = chosen.explanation if chosen is not None else None
        return explanation if explanation is not None and explanation.evidence == "probe" else None


def read_run(folder: Path, *, at_best: bool = False) -> RecordedRun:
    """Return what a run folder holds for a comparison.

    Args:
        folder: of the run.
        at_best: whether to take the epoch with the lowest validation loss in place of the last.

    Raises:
        RunNotFound: there is no run in the folder.
        RunUnreadable: its `run.json` is damaged or of a newer format.
    """
    snapshot = load_epochs(folder)
    fit = next((fit for fit in reversed(snapshot.fits) if fit.epochs), None)
    samples = read_samples(folder / (BEST_FILE if at_best else LAST_FILE))
    if samples is not None and (fit is None or samples.fit != fit.info.index):
        samples = None
    return RecordedRun(folder.name, snapshot, fit, read_origin(folder), samples, read_parameters(folder))
