"""The run folder: the one thing that a training writes and that everything else reads.

    training, importers ──▶ write ──▶ files of a run folder ──▶ read ──▶ history
    cli, app ──▶ runs: which folders there are, whether their process lives, control requests to it

* `format` says what the files hold, `events` which events there are; both sides share these and nothing else.
* `write` is the training's side: every record is with the system when its call returns, and no call raises.
* `read` is the screen's side: whole records only, each once, in bounded time; several workers are joined to one run.
* `runs` knows folders: names, summaries for `ls`, liveness, control requests, workers, copies of remote runs.

A batch passes through `write.writer` and `read.reader`; a control request through `runs.control`, and comes back as the
event `RequestAcknowledged`. Open `format/layout.py` first, then `write/writer.py`.
"""
