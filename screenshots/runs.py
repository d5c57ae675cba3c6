"""The real runs that pictures are made of: the demo, and small scripts that each show one kind of training."""

from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).with_name("scripts")


@dataclass(frozen=True)
class RunToShow:
    """One run, and the moment at which it is shown."""

    name: str
    command: tuple[str, ...]
    """Arguments of `tui-monitor`, without the name and the folder of the run."""
    epochs_shown: int | None = None
    """Shown as it stood in the middle of the epoch after so many; None for the run as it ended."""


def _script(name: str, epochs_shown: int | None = None) -> RunToShow:
    return RunToShow(name, ("run", "--headless", str(SCRIPTS / f"{name}.py")), epochs_shown)


EIGHT = (
    RunToShow("question", ("demo", "question", "--headless", "--epochs", "6")),
    _script("overfitting"),
    _script("batch_norm"),
    _script("regression"),
    _script("gan"),
    _script("eleven_metrics"),
    _script("imbalanced"),
    _script("long", epochs_shown=3),
)
"""Kinds of training that differ most on screen."""
SIZES = ((60, 20), (80, 24), (120, 40))
