"""Folders and databases that trackers keep.

One file a tracker, each with a function that lists the runs of a folder and one that yields a run's records. Open
`mlflow.py` first: it is the shortest.
"""
