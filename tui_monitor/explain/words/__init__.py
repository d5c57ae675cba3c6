"""Sentences on what was measured; none says more than the intervals allow.

`facts` is all that they may draw on. `sentences` has the verdict and the headline, `findings` one sentence for each
thing that can be said, `advice` the step that follows with its code, `text` the whole explanation as plain text.

In: ledgers and evidence. Out: text. A wrong word is mended here; open `sentences` first.
"""
