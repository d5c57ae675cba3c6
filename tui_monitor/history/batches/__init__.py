"""The batches of one fit: bounded in memory however many there are, any range of them drawn at once.

`batch_track` grows with the records and shows the batches as they stood after any number of them; `series` holds one
metric's values and their pyramid of block summaries; `batch_ends` knows when each batch had ended. Values of old
batches are evicted and read again from their file where a closer look needs them.

In: batch records and block summaries. Out: `Batches`, `BatchSeries`. Open `batch_track` first.
"""
