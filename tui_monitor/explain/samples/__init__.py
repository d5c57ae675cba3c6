"""What an explanation is measured from: per-sample values of probed batches beside exact totals of the epoch.

`probes` has the arrays of both sides with their shapes, and how weights and averages enter a reported value;
`join_workers` makes one probe of the parts that several workers measured.

In: NumPy arrays from `training`. Out: `TrainingProbe`, `ValidationProbe`. Open `probes` first.
"""
