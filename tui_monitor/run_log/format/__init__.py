"""What the files of a run folder hold, for who writes them and who reads them.

`layout` has the names of the files, the states, the fixed first columns of a batch record (those of its metrics
follow from their names) and the identity in `run.json`, which `run_json` reads and replaces. `strict_json` spells
JSON so that strict parsers accept it, and reads single values leniently. `batch_records`, `block_summaries` with
`pyramid_level`, `ring_buffer` and `output_index` are the layouts of the binary files; `canonical_metrics` gives
recorded metrics one name each, `error_text` exceptions words that every file can hold.

In: nothing but the names of metrics and the errors. Out: constants, types, and bytes to and from them.
Open `layout` first.
"""
