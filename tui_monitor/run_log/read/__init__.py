"""The screen's side of a run folder: whole records only, each once, in bounded time.

`reader` follows one folder and returns an `Arrival` for each poll; `cluster_reader` does the same for a run of several
workers, whose parts it joins. Beneath them `tail` reads a file that grows and notices one that was replaced,
`fit_records` reads one fit's batches, the first of many by `block_reader`, the newest ones, not yet in the file,
by `unflushed_records`; `stored_records` reads evicted ones again, `output_index` when the script had printed what.

In: a folder and a clock. Out: `Arrival`s, which `history` folds. Open `reader` first.
"""
