"""What differs between Keras 3, legacy Keras and any other ground, behind one interface; open `backend` first.

A fault on one version of Keras belongs here: every private name of a framework is in `keras3`, `legacy_keras`,
`shared_names`, `capture`, `scopes`, or in what reads the graphs that Keras traces (`graphs`) and runs parts of them
again (`pieces`, where `repeatable` allows it; `precision` in float32). `public` uses public names alone: it serves JAX,
PyTorch and unknown versions.
"""
