"""What the screen shows, pure: from a snapshot, a view state and a size to rows and cells, without Textual.

In: `history`'s snapshots and the `view_state` that keys change. Out: rows of styled text, chart specifications, and
which keys do something now. Pictures and reports draw from here too.

* `panels/`: a module for each panel; open `panels/panel_table` first. `panels/gap/` answers why the values differ,
  `panels/evidence/` shows what lies behind it.
* `charts/`: which metrics the charts show, their x axis and their specification.
* `text/`: rows by display width, bars.
* `keys`: every key with its label, help and action, which is a method of an app in `app/`; `footer` and `help` are
  made from it, and `enabled_actions` says which keys do something now.
* `layout`: which classes of the style sheet hold. `styles`: every style a row may carry.
* `explanations`: which explanation is shown. `news`: what is worth a notification. `splash`: the first frame.
"""
