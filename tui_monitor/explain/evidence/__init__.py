"""What lies behind the averages of both sides.

`class_shares` tests the class mix and scores each class, and the majority-class baseline; `mistakes` splits a loss
difference into how often and how badly each side errs; `distributions` holds confusion, calibration and the spread of
losses over samples.

In: `explain.samples`. Out: the parts of an `Explanation`, as `run_log.events` has them. Open `class_shares` first.
"""
