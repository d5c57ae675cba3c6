"""What is said about one key, and the headings under which keys stand."""

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """Headings under which help lists the keys."""

    VIEWS = "Views"
    EVIDENCE = "Evidence"
    CHARTS = "Charts"
    REPLAY = "Replay"
    RUN = "Run"
    TABLE = "Table of runs"
    OVERLAY = "Runs on one chart"
    PAGE = "Why runs differ, hyper-parameters"
    SWEEP = "Hyper-parameters alone"
    PROGRAM = "Program"


@dataclass(frozen=True)
class Key:
    """One key and all that is said about it."""

    keys: str
    """Textual's key names, comma-separated."""
    shown: str
    """How the key is written for people."""
    label: str
    """One or two words, for the footer."""
    help: str
    """A sentence, for help, palette and README."""
    action: str
    """Textual action of the app."""
    group: Group
    in_footer: bool = True
