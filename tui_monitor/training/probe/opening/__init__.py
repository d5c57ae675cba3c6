"""Opens the within-class term: are there copies, is the scale another, are the data, was training memorised.

In: the batches that are kept anyway, of both sides, and copies of the weights from within epoch 1 (`weight_copies`).
Out: `explain.samples.opened.Opened`. Each part is measured on its own, and one that can't be has its reason. Open
`opener` first: it decides what is measured when.
"""
