"""Every key of the program, once: footer, help page, command palette, bindings and README are all made from here.

`key` says what a key is, `of_one_run` has those of a run's screen, `of_many_runs` those of the table and of what it
opens, `of_the_program` those of every screen. `table` puts them in their order.
"""
