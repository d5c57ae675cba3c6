"""Applies control requests between two batches and acknowledges each on the timeline; open `steering`."""
