"""The training process of `tui-monitor run` and `demo`: from its first moment to its exit code; open `process` first.

In: a run folder and a job as JSON. Out: the script's own output and exit code, and a run folder that says how it ended.
"""
