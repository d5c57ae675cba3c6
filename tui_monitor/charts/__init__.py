"""Arrays in, a grid of (character, style name) cells out: no files, no screen; open `chart` first.

In: a `spec` of plain arrays, limits and ticks, made by `view.charts`, and a size. Out: cells for a terminal, or SVG.

* `scale`: limits that move in steps, and round ticks; `y_axis` puts both on the rows of a chart. `markers`: characters
  by what the terminal can show.
* `layers` turns the specification into curves, `raster` has plotext draw them (the only file that does), `dots` and
  `change` find which columns differ from the last drawing, `frame` adds axes, title and legend.
* `cells`: the grid itself. `vector`: the same specification as SVG.
"""
