"""A gap split into the causes that add up to it, each with an interval and a verdict.

`estimates` measures each cause on the probed samples (toggles, Shapley values, class weights) and on bootstrap draws;
`new_classes` has what classes do that training lacks, and `intervals` makes intervals and says what drawing both sets
anew would do; `build` adds up the ledger and decides what may be said of each term.

In: `explain.samples`. Out: `Ledger`. Open `build` first, which calls the others; an interval is corrected in
`intervals`, the draws behind it in `estimates`.
"""
