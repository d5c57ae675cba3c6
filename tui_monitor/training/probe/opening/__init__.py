"""Opens the within-class term: leaked copies, another input scale, different data, memorised samples.

In: the batches that are kept anyway, of both sides, and copies of the weights from within epoch 1 (`weight_copies`).
Out: `explain.samples.opened.Opened`. Each part is measured on its own, and one that can't be has its reason. Open
`opener` first: it decides what is measured when.
"""
