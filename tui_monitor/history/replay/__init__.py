"""A whole run on its time axis: its snapshot at any moment is the one that a live screen showed then.

`recording` keeps the events with checkpoints of the state between them, and cuts the batches at the moment;
`recorded_output` reads what the script had printed by then; `markers` finds where epochs ended, alerts came and the
explanation changed.

In: the same arrivals that a live screen folds, and a position. Out: `Snapshot`, `Markers`. Open `recording` first.
"""
