"""What a training printed, line by line.

Bytes become lines (`lines.py`), lines lose what the place they were pasted from added (`places.py`), each falls into
headers, bars and callbacks' messages (`progress_line.py`), and rules make epochs of those: `progress_log.py`, to be
opened first. `pattern_log.py` reads any other regular text by a pattern of the user's.
"""
