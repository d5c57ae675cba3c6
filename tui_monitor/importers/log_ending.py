"""How a training ended, as what its log shows after the last epoch says."""

import re
from dataclasses import dataclass

from tui_monitor.run_log.format.layout import State

_LONGEST_DETAIL = 300
_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning)?(?::|$)")
_STOPPED = re.compile(r"slurmstepd.*CANCELLED|DUE TO TIME LIMIT|^KeyboardInterrupt\s*$|^\^C")
_FAILED = re.compile(r"^(?:Killed|Aborted|Segmentation fault|Bus error|Illegal instruction)\b|oom[-_]kill|OOM Killed")
_STOPPED_EARLY = re.compile(r"\bearly stopping\b", re.IGNORECASE)


@dataclass
class Ending:
    """What the lines since the last epoch's beginning say; plain values."""

    state: State | None = None
    """None while nothing says how it ended."""
    detail: str = ""
    in_traceback: bool = False
    stopped_early: bool = False

    def read(self, text: str) -> None:
        """Take the next line."""
        line = text.strip()
        if line.startswith("Traceback (most recent call last)"):
            self.in_traceback = True
            self.state, self.detail = State.FAILED, line
        elif self.in_traceback and line and not text.startswith((" ", "\t")) and _EXCEPTION.match(line):
            self.in_traceback = False
            is_interrupt = line.startswith("KeyboardInterrupt")
            self.state = State.STOPPED if is_interrupt else State.FAILED
            self.detail = line[:_LONGEST_DETAIL]
        elif _STOPPED.search(line):
            self.state, self.detail = State.STOPPED, line[:_LONGEST_DETAIL]
        elif _FAILED.search(line):
            self.state, self.detail = State.FAILED, line[:_LONGEST_DETAIL]
        elif _STOPPED_EARLY.search(line):
            self.stopped_early = True
