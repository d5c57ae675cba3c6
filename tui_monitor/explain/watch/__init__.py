"""What needs attention while training runs, from values alone.

`alerts` raises every alert that follows from values, once an episode, beyond noise (a stall, which follows from time,
is noticed by `training/record/stalls`); `trends` has the tests of noise and trend behind them;
`changes` tells when an explanation names another main cause than before, or the paradox begins or ends.

In: epochs' values and explanations, one at a time. Out: alerts and changes, which `training` and `importers` write as
events. A new alert begins in `alerts`.
"""
