"""Why two runs differ: what was different about them, what came of it, and whether chance alone would give that.

* `recorded_run` reads what a run folder holds of all this; `changes` finds what was different.
* `paired` is the statistics: the difference of two means over the same samples, with its interval. Pure arithmetic.
* `outcome` measures what came of it: losses, accuracies, classes, mistakes. `ledgers` compares why training and
  validation differ in each run.
* `words` says it: verdict, why, next. `comparison` puts it all together; open that first.

In: two run folders. Out: a frozen `Comparison`, as rows in `view.runs`, as text or JSON in `cli`.
"""
