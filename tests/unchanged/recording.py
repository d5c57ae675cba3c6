"""The only place here that knows the monitor: how a process comes to record, and what its run says of a fit.

Nothing of the monitor is imported before it is needed: an instrumented copy of it may still come first on the path.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROBE_BUDGET = 0.02
"""As `tui-monitor run` has it by default."""


@dataclass
class Recording:
    """A run that every fit of this process is recorded into."""

    writer: Any
    """The run's `RunWriter`."""
    folder: Path

    @property
    def fits(self) -> int:
        """Fits whose records have begun."""
        return len(self.writer.info.fits)

    def _events(self) -> list[dict[str, Any]]:
        events = self.folder / "events.jsonl"
        return [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []

    def sentences(self) -> list[str]:
        """Return what the run says in words, so far: of fits that are not recorded, or no longer.

        Each request gets an answer of its own; those that refuse one count as one sentence, and what was set aside
        unread as none.
        """
        records = self._events()
        alerts = [record for record in records if record.get("kind", record.get("event")) == "alert"]
        refused = [record for record in records if record.get("outcome") == "refused" and record.get("id")]
        return [str(record["text"]) for record in (*alerts, *refused[:1]) if "alert" not in record]

    def held(self) -> str:
        """Return how many batches, epochs and explanations the run holds."""
        events = self._events()
        kinds = Counter(event.get("kind", event.get("event")) for event in events)
        batches = [event.get("batches") for event in events if "batches" in event and "logs" in event]
        return f"{self.fits} fits, epochs of {batches} batches, {kinds['explanation']} explanations"

    def close(self) -> None:
        """Write the end of the run."""
        self.writer.close()


def record_this_process(folder: Path, probe_budget: float = PROBE_BUDGET, *, hooked: bool = True) -> Recording:
    """Have every fit of this process recorded into a run folder, as `tui-monitor run` does before the script begins.

    Args:
        folder: of the run; made when missing.
        probe_budget: fraction of training time for measuring.
        hooked: whether every fit is recorded; else those that ask for it with `watch` or `Monitor`.
    """
    from tui_monitor.run_log.format.layout import RunInfo
    from tui_monitor.run_log.write.writer import RunWriter
    from tui_monitor.training.child.hooks import record_fits
    from tui_monitor.training.probe.budget import ProbeBudget
    from tui_monitor.training.record.session import Session, activate

    writer = RunWriter(folder, RunInfo(name=folder.name))
    session = Session(writer, folder, ProbeBudget(fraction=probe_budget))
    activate(session)
    if hooked:
        record_fits(session)
    return Recording(writer, folder)


def forget_session() -> None:
    """Have this process record into no run; for the next, Keras is hooked anew, whose own functions are back by now."""
    from tui_monitor.training.backends import backend
    from tui_monitor.training.record.session import activate

    activate(None)
    backend._wrapped.clear()


def train_as_child(run: Path, script: Path, probe_budget: float = PROBE_BUDGET) -> int:
    """Be the training process of `tui-monitor run --headless SCRIPT`, and return its exit code.

    Args:
        run: an existing run folder.
        script: to be run.
        probe_budget: fraction of training time for measuring.
    """
    from tui_monitor.training.child import process

    target = {"name": str(script), "arguments": [], "is_module": False}
    job = {"probe_budget": probe_budget, "command": ["tui-monitor", "run", str(script)], "script": target}
    return process.main([str(run), json.dumps({**job, "keeps_streams": True})])
