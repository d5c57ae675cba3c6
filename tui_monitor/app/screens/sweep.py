"""The runs of one script ranked by their hyper-parameters, over the whole screen."""

from collections.abc import Sequence

from tui_monitor.app.bindings import bindings
from tui_monitor.app.screens.page import PageScreen
from tui_monitor.compare.sweep import Sweep, sweep_of
from tui_monitor.run_log.runs.entry import RunEntry
from tui_monitor.units import count
from tui_monitor.view.keys.table import OF_A_SWEEP
from tui_monitor.view.runs.sweep_rows import group_name, sweep_rows
from tui_monitor.view.text.rows import Rows


class SweepScreen(PageScreen):
    """Which hyper-parameters go with a better value, and the runs, best first."""

    BINDINGS = bindings(OF_A_SWEEP)
    GROUPS = OF_A_SWEEP
    WIDEST = 240

    def __init__(self, script: str, runs: Sequence[RunEntry], metric: str, *, ascii_only: bool = False) -> None:
        """Prepare the screen.

        Args:
            script: what the runs train.
            runs: of that script.
            metric: whose best values count first.
            ascii_only: whether the terminal lacks UTF-8.
        """
        super().__init__(ascii_only=ascii_only)
        self._script, self._runs = script, runs
        self._sweep: Sweep = sweep_of(runs, metric)

    @property
    def metric(self) -> str:
        """Whose best values count."""
        return self._sweep.metric

    def titles(self) -> tuple[str, ...]:
        """Return what the runs train and how many there are."""
        return f"{group_name(self._script)}: {count(len(self._sweep.ranked))} runs by {self._sweep.metric}", "Runs"

    def rows(self, width: int) -> Rows:
        """Return the ranking."""
        return sweep_rows(self._sweep, width)

    def action_sweep_metric(self) -> None:
        """Rank by the next metric that two runs have."""
        names = dict.fromkeys(name for run in self._runs for name in run.best)
        metrics = [name for name in names if sum(name in run.best for run in self._runs) > 1]
        following = metrics[(metrics.index(self._sweep.metric) + 1) % len(metrics)]
        self._sweep = sweep_of(self._runs, following)
        self.fill()
