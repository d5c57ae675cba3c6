"""The screen: all that needs Textual. What a panel shows is decided in `view`; here it is read, laid out and sent.

In: a run folder, keys, and the terminal's size and answers. Out: changed cells to the terminal, and control requests
that the user confirmed. Never a training framework: it would freeze the screen for seconds.

* `monitor_app`: takes snapshots from its feed and has them drawn; open it first. `live_app` adds the control of a
  training, `replay_app` a `player`.
* `feed/`: the reader thread, from a folder (`live_source`) or a clock over one (`replay_source`) to the newest
  snapshot.
* `screens/`: the main screen with its layout and style sheets, and the dialogs.
* `widgets/`: rows and charts as widgets.
* `control/`: from a key by way of a dialog to a control request, and until the run acknowledges it.
* `terminal/`: what is sent, how fast, and how the terminal is left. `screenshots/`: the screen as SVG or text.
"""
