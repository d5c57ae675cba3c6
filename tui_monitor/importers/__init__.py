"""Logs of other tools become run folders.

`importing.py` is the way from a path to a run: open it first. `recognise.py` tells by content which format a source
has, and `importing.py` has the reader of each; the readers are in `text/` (what scripts print), `tables/` (files of
rows and columns) and `stores/` (folders and databases of trackers). All of them yield the records of `records.py`,
which a `Recorder` writes into an `ImportedRun`. `standard_input.py` does the same for a pipe, while the training goes
on.
"""
