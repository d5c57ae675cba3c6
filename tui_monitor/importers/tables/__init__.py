"""Files of rows and columns: CSV of every logger, `History` in every way it is saved, downloads of trackers.

Open `csv_table.py` first for tables that are read line by line, `history.py` for JSON and objects. `step_rows.py` makes
epochs of tables that hold a row for every step.
"""
