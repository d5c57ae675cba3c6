"""One call of `fit` becomes records: batches, epochs, explanations, alerts.

In: what steps emit and what Keras tells its callbacks. Out: batches and events, by way of the `session`'s writer.

    a step's payload ─▶ batch_sources (or fast_path) ─▶ batch_sink ─▶ run_log.write
    Keras' callbacks ─▶ callback_adapter ─▶ epoch_reporter ─▶ measurement ─▶ probe/ ─▶ run_log.write

* `recorded_fit` surrounds the call, `fit_recorder` puts the parts together, `failures` says which part has ended.
* `fast_path` unpacks an ordinary batch in front of the sink, in one function, because a training waits for it.
* `measurement` decides what is measured when; `last_epoch` which epoch is the last; `stalls` notices
  that no batch comes; `observations` writes alerts down, of values and of stalls.

Open `recorded_fit` first, then `fit_recorder`.
"""
