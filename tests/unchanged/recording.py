"""The only place here that knows the monitor: how a process comes to record, and what its run says of a fit."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_monitor.run_log.format import RunInfo
from tui_monitor.run_log.writer import RunWriter

PROBE_BUDGET = 0.02
"""As `tui-monitor run` has it by default."""


@dataclass
class Recording:
    """A run that every fit of this process is recorded into."""

    writer: RunWriter
    folder: Path

    @property
    def fits(self) -> int:
        """Fits whose records have begun."""
        return len(self.writer.info.phases)

    def sentences(self) -> list[str]:
        """Return what the run says in words, so far: of fits that are not recorded, or no longer."""
        events = self.folder / "events.jsonl"
        records = [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []
        alerts = [record for record in records if record.get("kind", record.get("event")) == "alert"]
        return [str(record["text"]) for record in alerts if "alert" not in record]

    def close(self) -> None:
        """Write the end of the run."""
        self.writer.close()


def record_this_process(folder: Path, probe_budget: float = PROBE_BUDGET) -> Recording:
    """Have every fit of this process recorded into a run folder, as `tui-monitor run` does before the script begins.

    Args:
        folder: of the run; made when missing.
        probe_budget: share of training time for measuring.
    """
    from tui_monitor.training.budget import ProbeBudget
    from tui_monitor.training.hooks import install_hooks
    from tui_monitor.training.session import Session, activate

    writer = RunWriter(folder, RunInfo(name=folder.name))
    session = Session(writer, folder, ProbeBudget(share=probe_budget))
    activate(session)
    install_hooks(session)
    return Recording(writer, folder)


def job_of(script: Path, probe_budget: float = PROBE_BUDGET) -> dict[str, Any]:
    """Return the job that `tui-monitor run --headless SCRIPT` gives its training process."""
    target = {"name": str(script), "arguments": [], "is_module": False}
    command = ["tui-monitor", "run", str(script)]
    return {"probe_budget": probe_budget, "command": command, "script": target, "keeps_streams": True}
