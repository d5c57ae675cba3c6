"""Measures why the values of both sides differ: kept batches, passes over them, and what they may cost.

In: whole batches of the epoch (`reservoir`) and the per-sample values of validation (`validation_record`). Out: the two
sides that `explain` compares (`ledger_sides`, of `training_side` and `validation_side`). Open `explainer` first: it
decides what is measured when. `batches` are what is kept, `passes` runs them through pieces of Keras' graph by random
numbers of their own (`draws`), `undisturbed` has that leave nothing of itself behind. `measured` is
what passes give, `both_sides` all that is known of an epoch by then.
"""
