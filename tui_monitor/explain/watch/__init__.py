"""What needs attention while training runs, from values alone.

`alerts` decides every alert that follows from values, once an episode, beyond noise; `trends` has the tests of noise
and trend behind them (a stall follows from time alone: `training/record/stalls`);
`changes` tells when an explanation names another main cause than before, or the paradox begins or ends.

In: epochs' values and explanations, one at a time. Out: alerts and changes, which `training` and `importers` write as
events. A new alert begins in `alerts`.
"""
