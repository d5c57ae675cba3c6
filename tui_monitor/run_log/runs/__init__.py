"""Run folders as a whole: which there are, what each is in one line, whether it lives, and requests to it.

`folders` names, creates and finds them; `summary` is the line of a list, from the ends of the files; `liveness` decides
whether a silent run is lost, from `process`, which tells a process from a later one of the same number. `control`
carries control requests to a training. `workers` finds the folders of several workers, `remote` keeps a copy of a run
that is elsewhere.

A table of thousands takes other ways: `catalogue` holds an `entry` of each, `read_entry` reads those that changed, and
`entry_events` is the fold over what they say.

In: paths and the command line's words. Out: paths, summaries, states, requests. Open `folders` first.
"""
