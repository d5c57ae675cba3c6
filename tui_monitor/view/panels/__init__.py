"""A module for each panel: from a snapshot and a width to rows; open `panel_table` first, which lists them all.

A new column of the epoch table goes into `epochs`, a word of the header into `header`.
"""
