"""Faults planted in data, model or call that open the within-class term, each trained for real, and their truths.

`plans` says what is planted, `training` trains one run and scores its explanation, `__main__` prints the table.
"""
