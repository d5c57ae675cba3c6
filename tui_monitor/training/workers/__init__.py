"""Workers of one training: who waits for whom, and how all act after the same batch; open `worker_requests` first.

They speak through files of the run folder alone: the training's own collectives are left to the training.
"""
