"""The charts: from a call of fit and the view state to a chart specification; open `metric_chart` first.

`chart_metrics` says which metrics there are and which two are shown, `epoch_axis` where a batch lies on the x axis.
`charts` draws the specification.
"""
