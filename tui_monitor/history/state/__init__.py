"""A run as its records arrive: each arrival is folded in, and a snapshot shares all that did not change.

`fold` takes arrivals and returns snapshots; `fit_fold` does it for one call of `fit`, `workers` for each of several
workers; `fit_events` makes rows of an epoch's and an explanation's event. `output` is the script's output as lines
that are safe to show, `pace` how fast training goes and how long it still takes.

In: `run_log.read.Arrival`. Out: `history.snapshot.Snapshot`. Open `fold` first.
"""
