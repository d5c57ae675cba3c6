"""A run for other tools and for people: tables, TensorBoard files, charts and reports; open `tables` first.

In: a run folder. Out: text, bytes or files; where they go is for `cli` to say.

`tables` reads epochs or batches as columns; `text_files`, `parquet_file` and `tensorboard_files` write them.
`run_charts` draws single charts and those of a `report`, from `view`.
"""
