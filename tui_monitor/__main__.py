"""`python -m tui_monitor` is `tui-monitor`."""

from tui_monitor.cli import main

main()
