"""Options that several commands have, each declared once."""

import click

from tui_monitor.cli.option_types import NumberWithin

runs_option = click.option(
    "--runs",
    metavar="DIR",
    help="Folder of the runs (default: runs/ here, or TUI_MONITOR_RUNS); to read, also an address: s3://bucket/runs.",
)

pattern_option = click.option(
    "--pattern",
    "patterns",
    multiple=True,
    metavar="TEXT",
    help="Read text by this pattern, such as 'epoch {epoch} loss {loss} val {val_loss}'; may be given several times.",
)

probe_budget_option = click.option(
    "--probe-budget",
    type=NumberWithin(0, 1),
    default=0.02,
    show_default=True,
    metavar="FRACTION",
    help="Fraction of training time for measuring; 0 turns probes off.",
)

probe_seconds_option = click.option(
    "--probe-seconds",
    type=NumberWithin(0, 3600),
    default=3.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds for measuring beside it, in the whole run: for short fits, and the last epoch of each.",
)
