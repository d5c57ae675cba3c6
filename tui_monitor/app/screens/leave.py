"""Leaving a live run: training goes on unless the user says otherwise, and the safest answer is the first."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option


class Leaving(StrEnum):
    """What the user wants when leaving."""

    DETACH = "detach"
    STOP = "stop"
    KILL = "kill"
    CANCEL = "cancel"


@dataclass(frozen=True)
class _Answer:
    leaving: Leaving
    label: str


_ANSWERS = {
    Leaving.DETACH: "Leave it training, and close this screen",
    Leaving.STOP: "Stop after this batch, keeping what the script saves",
    Leaving.KILL: "Kill the process now; nothing more is saved",
    Leaving.CANCEL: "Cancel",
}


class LeaveScreen(ModalScreen[Leaving]):
    """Asks what to do with the training."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss_with('cancel')", "cancel")]

    def __init__(self, answers: tuple[Leaving, ...], question: str) -> None:
        super().__init__()
        self._answers = answers
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay out the question and its answers."""
        with Vertical(id="leave"):
            yield Static(self._question, classes="dialog-title", markup=False)
            yield OptionList(*(Option(_ANSWERS[answer], id=answer.value) for answer in self._answers), markup=False)
            yield Static("Arrows: choose. Enter: confirm. Escape: cancel.", id="leave-hint", markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close with the answer."""
        self.dismiss(Leaving(event.option_id or Leaving.CANCEL))

    def action_dismiss_with(self, leaving: str) -> None:
        """Close with the named answer."""
        self.dismiss(Leaving(leaving))
