"""Why training and validation values differ: pure arithmetic on arrays, and sentences on what it finds.

    training: probed samples ──▶ measure ──▶ Explanation ──▶ run_log (as an event) ──▶ history ──▶ view, cli, export
                        samples ─▶ ledger, evidence ─▶ words ┘

* `samples` is what goes in; the parts of several workers are joined there.
* `ledger` splits a gap into causes with intervals and verdicts; `evidence` is what lies behind the averages.
* `words` makes sentences, findings and advice of them; `measure` calls all of these in turn.
* `from_log` says what logged values alone prove, where nothing was measured, and `log_history` what those of several
  epochs suggest; `watch` raises alerts and tells changes.

No Keras, no Textual, no files. The result's type is `run_log.events.explanation`, as it is recorded in a run.
An explanation is computed here from what `training/probe` has measured: open `measure` first.
"""
