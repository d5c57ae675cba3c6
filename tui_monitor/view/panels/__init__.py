"""A module for each panel: from a snapshot and a width to rows; open `panel_table` first, which lists them all.

A new column of the epoch table goes into `epochs` (and its value, if a snapshot does not hold it yet, into the
`EpochRow` of `history.snapshot`, which `history.state.fit_events` fills), a word of the header into `header`.
"""
