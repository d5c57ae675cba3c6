"""A dialog for one line of text, checked before it closes."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class EntryScreen(ModalScreen[str]):
    """Asks for a text. Enter closes with it, Escape without."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "cancel")]

    def __init__(
        self,
        question: str,
        remark: str,
        complaint: Callable[[str], str],
        *,
        longest: int = 200,
        hint: str = "Enter: send. Escape: cancel.",
        example: str = "",
        text: str = "",
    ) -> None:
        """Prepare the dialog.

        Args:
            question: in bold above.
            remark: a sentence below it.
            complaint: returns what is wrong with a text, in a sentence; empty when nothing is.
            longest: characters that are taken.
            hint: what Enter and Escape do.
            example: shown in the line while it is empty.
            text: in the line at first.
        """
        super().__init__()
        self._hint = hint
        self._example = example
        self._text = text
        self._question, self._remark, self._complaint, self._longest = question, remark, complaint, longest

    def compose(self) -> ComposeResult:
        """Lay out the question and the line."""
        with Vertical(id="entry"):
            yield Static(self._question, classes="dialog-title", markup=False)
            yield Static(self._remark, id="entry-remark", markup=False)
            yield Input(self._text, max_length=self._longest, select_on_focus=False, placeholder=self._example)
            yield Static(self._hint, id="entry-hint", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the text, or say what is wrong with it."""
        complaint = self._complaint(event.value)
        if complaint:
            self.query_one("#entry-hint", Static).update(complaint)
        else:
            self.dismiss(event.value)


def rate_complaint(text: str) -> str:
    """Return why a text is no learning rate; empty when it is one."""
    try:
        rate = float(text)
    except ValueError:
        return "A learning rate is a number, such as 0.0005 or 5e-4."
    return "" if 0 < rate < float("inf") else "A learning rate is above 0."


def note_complaint(text: str) -> str:
    """Return why a text is no note; empty when it is one."""
    return "" if text.strip() else "An empty note says nothing."
