"""The run that this process records: one writer, one probe budget, whatever number of `fit` calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tui_monitor.explain.explanation import Explanation
from tui_monitor.run_log.writer import RunWriter
from tui_monitor.training.budget import ProbeBudget


@dataclass
class Session:
    """What the recorders of one process share."""

    writer: RunWriter
    folder: Path
    """The run folder."""
    budget: ProbeBudget = field(default_factory=ProbeBudget)
    stop_requested: bool = False
    """Whether someone asked to stop: the run then ends as stopped, not finished."""
    explained: Callable[[Explanation], None] = lambda explanation: None
    """Told of each explanation."""
    limited: Callable[[tuple[str, ...]], None] = lambda sentences: None
    """Told what can't be measured for a model."""
