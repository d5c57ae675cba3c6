"""A terminal monitor for Keras training that measures why validation and training metrics differ.

`fit_generator`, `watch` and `Monitor` record a training from one's own code; they import Keras when first used.
`log_batch`, `log_epoch` and `start_loop` record loops of one's own, of any framework, and import none.

Everything is a run folder. The training process writes one, the screen reads one, and only files connect the two:

    training process (Keras)  ── appends ──▶  run folder  ── tails ──▶  screen (Textual)
                             ◀── reads ───  control/     ◀── leaves ──

A replay, an import, a demo and a piped log are the same folder under another clock. Imports point down, which contracts
in `pyproject.toml` prove: `cli` ▶ `app` ▶ `view` ▶ `history`, `charts`, `explain` ▶ `run_log` ▶ `units`, `errors`.
`training` records runs through `run_log`, `importers` make runs from other tools' logs, `export` turns runs into other
files, `launch` starts a training's process, and `demo` makes data for one. Each package's `__init__` says which file to
open first.

Four flows run through the packages:

* A batch: `training` packs what a step emits and puts a record into the run folder; `run_log` reads it; `history` folds
  it into a frozen snapshot; `view` makes a chart specification of that; `charts` draws cells; `app` sends those that
  changed to the terminal.
* A control request: a key in `app`, a dialog, a file under `control/`; `training` applies it between two batches and
  appends an event, which the timeline shows.
* An explanation: `training` keeps batches and probes the model; `explain` turns arrays into a ledger, verdicts and
  sentences; the event goes into the run folder, and screen, `explain`, headless lines and report show the same one.
* A replay: `history` keeps the run as a recording, and what it was at a moment is the same snapshot on the same screen.
"""

from typing import Any

_LOOPS = ("log_batch", "log_epoch", "start_loop")
__all__ = ["Monitor", "fit_generator", "log_batch", "log_epoch", "note", "start_loop", "watch"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Imported here: Keras takes seconds, and a loop of another framework has no use for it.
    if name in _LOOPS:
        from tui_monitor.training.loops import log  # noqa: PLC0415

        return getattr(log, name)
    if name == "note":
        from tui_monitor.training.noted import note  # noqa: PLC0415

        return note
    from tui_monitor.training import api as library  # noqa: PLC0415

    return getattr(library, name)
