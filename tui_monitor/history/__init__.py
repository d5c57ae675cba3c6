"""Records become state here and nowhere else: arrivals go in, frozen snapshots come out.

    run_log.read ──Arrival──▶ state.fold ──▶ Snapshot ──▶ view, export, cli
                         └──▶ replay.recording ──▶ the Snapshot of any moment

* `snapshot` is the run at one moment, frozen: all that a screen, a table or a report draws from.
* `state` folds arrivals into it; `batches` holds what a fit's batches were, downsampled in a pyramid.
* `replay` finds the state of any moment again: *a replay* shows the snapshot that a live screen showed then.
* `load` reads a whole run at once, `load_epochs` its epochs and explanations alone.
* `playback` and `start` are the clock of a replay and where it begins.

Nothing here writes, draws or measures. Open `snapshot` first, then `state/fold.py`.
"""
