"""One call of `fit` becomes records: batches, epochs, explanations, alerts; open `recorded_fit`, then `fit_recorder`.

In: what steps emit and what Keras tells its callbacks. Out: batches and events, by way of the `session`'s writer.
`fast_path` serves an ordinary batch in one function, because a training waits for it.
"""
