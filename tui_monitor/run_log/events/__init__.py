"""What `events.jsonl` says: one frozen dataclass for each kind of event, and nothing else is written there.

`progress` holds how far a run is, `notifications` what is said of it, `usage` what it takes of its machine. An
`explanation` is what was measured at one moment: its `ledger`s with their terms, and what was `opened` behind them.
Each kind reads its own fields, leniently: what is missing or makes no sense is left out. `lines` turns an event with
its stamp into a line of the file and back; a kind of a newer version becomes an `UnknownEvent`, which readers count and
skip.
`order` states in which order a training writes them.

In: what a training or an importer tells a writer. Out: `RecordedEvent`s, read with `match` by `history`.
Open `lines` first, then `progress`.
"""
