"""The terminal: only changed cells, no frame before the last one is shown, left as it was; open `terminal_app` first.

In: frames that Textual composes, and the terminal's answers and signals. Out: escape sequences. `cell_diff` remembers
what the terminal shows, `style_codes` goes from one style to another in few bytes, `pacing` waits for it,
`terminal_driver` survives its end, `notification` rings it.
"""
