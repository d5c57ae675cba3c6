"""The table of runs, pure: from entries and what the user asked for to rows.

`differences` finds the arguments that vary, `query` reads a filter, `columns` has every column with what it shows and
sorts by, `table` makes rows of a window of the table. In: `run_log.runs.entry`'s entries. Out: rows of styled text,
or plain cells for `ls`. Open `columns` first.
"""
