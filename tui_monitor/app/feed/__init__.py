"""The reader thread: from a run folder to the newest snapshot, of which at most one waits; open `feed` first.

Two threads meet here: the reader polls a source, which may wait for a file; the event loop takes snapshots, and leaves
moves of a replay in a queue that the reader empties. Between them lie one snapshot, which a newer one replaces, and two
events.
"""
