"""Where and how fast a replay begins: all that the command line needs to know of one."""

import math
from dataclasses import dataclass

FASTEST = math.inf
"""As fast as the run can be read."""


@dataclass(frozen=True)
class Start:
    """Where a replay begins. At most one of the first three says more than its default."""

    seconds: float = 0.0
    fraction: float | None = None
    """Part of the run, from 0 to 1."""
    epoch: int | None = None
    """Its end."""
    speed: float | None = None
    """Or None for one that plays the run within a minute."""
    is_playing: bool = True
