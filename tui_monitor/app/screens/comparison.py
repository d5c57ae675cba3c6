"""A comparison of two runs over the whole screen."""

from tui_monitor.app.screens.page import PageScreen
from tui_monitor.compare.comparison import Comparison
from tui_monitor.run_log.runs.folders import printable
from tui_monitor.view.runs.comparison_rows import comparison_rows
from tui_monitor.view.text.rows import Rows


class ComparisonScreen(PageScreen):
    """Why the second run differs from the first."""

    def __init__(self, comparison: Comparison, *, ascii_only: bool = False) -> None:
        """Prepare the screen.

        Args:
            comparison: what is shown.
            ascii_only: whether the terminal lacks UTF-8.
        """
        super().__init__(ascii_only=ascii_only)
        self._comparison = comparison

    def titles(self) -> tuple[str, ...]:
        """Return the names of both runs."""
        return f"{printable(self._comparison.second)} against {printable(self._comparison.first)}", "Two runs"

    def rows(self, width: int) -> Rows:
        """Return the comparison."""
        return comparison_rows(self._comparison, width)
