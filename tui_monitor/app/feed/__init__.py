"""The reader thread: from a run folder to the newest snapshot, of which at most one waits; open `feed` first.

Two threads meet here: the reader polls a source, which may wait for a file; the event loop takes snapshots. Between
them lie the newest snapshot, a queue of moves in a replay, and two events: one wakes the reader, one ends it.
"""
