"""How the screen treats its terminal: chosen on the command line, else from what the terminal says of itself."""

from dataclasses import dataclass

LOCAL_FRAMES, REMOTE_FRAMES, COARSE_FRAMES = 5.0, 4.0, 1.0
"""Maximum frames per second: on this machine, over SSH, and where every byte counts."""
COARSE_CHART_SECONDS = 3.0
"""Between two drawings of a chart where every byte counts."""


@dataclass(frozen=True)
class ScreenOptions:
    """What the user or the terminal asks of the screen."""

    frames_a_second: float = LOCAL_FRAMES
    low_bandwidth: bool = False
    """Whether charts are drawn less often."""
    notifies: bool = True
    """Whether the terminal is rung and gets a notification when the run ends or an alert comes."""
    ascii_only: bool = False
    """Whether charts and frames are made of ASCII characters, wherever the terminal could show others."""
    theme: str = ""
    """Name of a Textual theme; empty for the usual one."""
