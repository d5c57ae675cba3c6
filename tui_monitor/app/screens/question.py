"""A dialog with a question and a few answers, the first of which is the safest."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option


class QuestionScreen(ModalScreen[str]):
    """Closes with the chosen answer's name; Escape closes without one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", "cancel")]

    def __init__(self, question: str, answers: Mapping[str, str]) -> None:
        """Prepare the dialog.

        Args:
            question: in bold above.
            answers: name of each answer to its sentence, the safest first.
        """
        super().__init__()
        self._question, self._answers = question, answers

    def compose(self) -> ComposeResult:
        """Lay out the question and its answers."""
        with Vertical(id="question"):
            yield Static(self._question, classes="dialog-title", markup=False)
            yield OptionList(*(Option(label, id=name) for name, label in self._answers.items()), markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close with the answer."""
        self.dismiss(event.option_id or "")
