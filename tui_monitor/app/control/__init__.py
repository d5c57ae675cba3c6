"""From a key to a control request in the run folder, and until the run acknowledges it; open `training_control` first.

In: an action of the key table, the newest snapshot, and answers of dialogs. Out: files under `control/`, written by
`run_log`, and the sentence in the header that says what is pending.
"""
