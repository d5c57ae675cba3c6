"""Several workers of one training: who waits for whom, and how all act after the same batch; open `orders` first.

They speak through files of the run folder alone: the training's own collectives are left to the training.
"""
