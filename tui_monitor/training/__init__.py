"""What runs inside the training process: recording, measuring and control, without changing what is trained.

In: the user's `fit`, and control files. Out: a run folder, written by `run_log.write`. What watches never imports this.

    child/ or api ─▶ record/recorded_fit ─▶ step/ (in Keras' graph) ─▶ record/batch_sink ─▶ run_log.write
                                        ├─▶ probe/ ─▶ explain ─▶ an event
                                        └─◀ control/, workers/

* `child/` is the process that `tui-monitor run` starts; `api` is the way in from one's own code.
* `backends/` holds every private name of Keras and TensorFlow; `hooks` wraps a Keras once; `guard` keeps our errors
  away from the training.
* `step/` makes a step emit what it knows of its batch; `record/` puts it into the run folder; `usage/` samples the
  machine.
* `probe/` keeps batches and measures them within a budget; `keras2/` translates Keras 2 calls that Keras 3 refuses;
  `demo` fits a scenario.

Open `record/recorded_fit.py` first, then `record/fit_recorder.py`.
"""
