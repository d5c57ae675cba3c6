"""The training's side of a run folder: what was recorded is with the system when the call returns.

`writer` is what a training holds; it counts what can't be written and raises nothing. Beneath it `append_file` grows
a file by whole pieces, `batch_file` adds batch records through a ring buffer in shared memory, `event_file` keeps
events until they can be written, `folder_handle` keeps a folder that is renamed, `heartbeat` tells that the process
lives, `output_index` notes when the script had printed how much, `run_blocks` has `block_writer` summarise batches
beside the training thread, and `record_values` makes numbers of whatever comes. NumPy is not imported before a fit.

In: batches, events and epochs of `training` and `importers`. Out: files. Open `writer` first.
"""
