"""The panel that answers why training and validation differ, as much of it as there is room for; open `panel` first.

`ledger` draws the signed bars, `sides` the values of both sides, `empty_state` says why there is no answer yet, `age`
how old the answer is. The sentences come from `explain`.
"""
