"""The main screen and what is laid over it; open `main_screen` first.

`layout` holds every panel and chart; style sheets decide by classes of the screen (`view.layout`) which show and where:
`splash.tcss` for the first frame, `monitor.tcss` for all else. `entry`, `leave` and `help` are dialogs.
"""
