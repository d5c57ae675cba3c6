"""A dialog in which some of several things are ticked."""

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import SelectionList, Static
from textual.widgets.selection_list import Selection


class ChoiceScreen(ModalScreen[frozenset[str]]):
    """Space ticks, Escape closes with what is ticked."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "done", "done")]

    def __init__(self, question: str, names: Sequence[str], ticked: Collection[str]) -> None:
        """Prepare the dialog.

        Args:
            question: in bold above.
            names: all there is to choose from.
            ticked: those ticked at first.
        """
        super().__init__()
        self._question, self._names, self._ticked = question, names, ticked

    def compose(self) -> ComposeResult:
        """Lay out the question and the names."""
        with Vertical(id="choice"):
            yield Static(self._question, classes="dialog-title", markup=False)
            yield SelectionList[str](*(Selection(name, name, name in self._ticked) for name in self._names))
            yield Static("Space ticks, Escape is done.", id="entry-hint", markup=False)

    def action_done(self) -> None:
        """Close with what is ticked."""
        self.dismiss(frozenset(self.query_one(SelectionList).selected))
