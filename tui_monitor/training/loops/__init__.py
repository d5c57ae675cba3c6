"""Records loops of the user's own, of any framework: what they log becomes batches and epochs of the run.

In: calls of `log_batch`, `log_epoch` and `start_loop` from a script. Out: the same records and events that a `fit`
gives. Open `log` first. No framework is imported here, and nothing that is logged can fail the script.
"""
