"""Where the reading of progress text has come to, what is to be said of the log, and how its training ended."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tui_monitor.importers.records import Ended, Remark
from tui_monitor.importers.text.ending import Ending
from tui_monitor.importers.text.reports import Headless, Sizes
from tui_monitor.run_log.format.layout import State


@dataclass
class ProgressState:
    """All that is remembered between two lines; plain values, so that it can be kept beside the run."""

    pending: str = ""
    """The part before, where it showed progress and may go on."""
    candidate: str = ""
    """The line that reports the epoch under way as a whole, so far."""
    epoch: int = 0
    """Epoch under way, from 1; 0 outside of one."""
    last: int = 0
    """Highest epoch announced in the fit."""
    planned: int | None = None
    of: int | None = None
    """Batches in the epoch under way, as its bar counts them."""
    of_before: int | None = None
    """Batches in the epoch recorded before."""
    at: int = 0
    """Batches done in the epoch under way."""
    inner: tuple[int, int] | None = None
    """A header within an epoch that is not over: of its validation's bar, or of a training that began again."""
    inner_is_glued: bool = False
    inner_has_bar: bool = False
    """Whether a bar was taken for validation's since."""
    offset: int = 0
    """Added to printed numbers: 1 where they begin with 0."""
    phases: int = 0
    epochs: int = 0
    """Epochs recorded."""
    names: list[str] = field(default_factory=list)
    """Values of the epoch recorded before, in the same fit."""
    spelt: dict[str, str] = field(default_factory=dict)
    """Names as printed to names as recorded, where they differ."""
    headless: list[Headless] = field(default_factory=list)
    """Full bars that no header announced, and that are not recorded yet."""
    waiting: tuple[int, int] | None = None
    """A header behind a bar that may be of the epoch before it: the next bar tells."""
    message: int | None = None
    """The number of a callback's message that came before its bar."""
    unannounced: int = 0
    """Epochs taken from bars without an `Epoch` line."""
    guessed: list[int] = field(default_factory=list)
    """Epochs without a header that were numbered by what stands around them."""
    others: int = 0
    """Finished bars that are not training's: `evaluate` and the like."""
    without_end: int = 0
    """Epochs whose last full bar still said ETA."""
    without_figure: int = 0
    sizes: Sizes = field(default_factory=Sizes)
    is_new_fit: bool = False
    """Whether `fit` announced its sizes since the last header."""
    repairs: dict[str, int] = field(default_factory=dict)
    """What was done to lines, in words, to the number of lines."""
    ending: Ending = field(default_factory=Ending)

    def remarks(self) -> Iterator[Remark]:
        """Yield what is to be said of the log as a whole."""
        if not self.epochs:
            yield Remark("No finished epoch of Keras training is in this log.")
        if self.guessed:
            shown = ", ".join(map(str, self.guessed[:5])) + (" …" if len(self.guessed) > 5 else "")
            text = f"No `Epoch` line announces epoch {shown}: numbered by what stands around it."
            yield Remark(text, kind="note")
        if self.unannounced:
            yield Remark(
                f"{self.unannounced} finished bars without an `Epoch` line were taken for trainings of one epoch; "
                "`evaluate` prints the same.",
                kind="note",
            )
        if self.without_end:
            text = f"{self.without_end} epochs have no line that says they are over: their last full bar was taken."
            yield Remark(text, kind="note")
        if self.others:
            yield Remark(f"{self.others} finished bars are not training's own and were left out.", kind="note")
        if self.without_figure:
            yield Remark(f"{self.without_figure} metrics are printed without one number: left out.", kind="note")
        for repair, count in self.repairs.items():
            yield Remark(f"{count} {'line' if count == 1 else 'lines'} repaired: {repair}.", kind="note")

    def ended(self) -> Ended:
        """Return how the training ended, as far as the log shows."""
        if self.ending.state is not None:
            return Ended(self.ending.state, self.ending.detail)
        planned = self.planned
        if planned is None or self.last >= planned or self.ending.stopped_early:
            return Ended(State.FINISHED)
        return Ended(State.STOPPED, f"The log ends with epoch {self.last} of {planned}.")
