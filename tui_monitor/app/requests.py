"""What the screen asks of the training process, through the run folder."""

from pathlib import Path

from tui_monitor.run_log.control import Action, send_request

SENDER = "screen"


def ask_to_stop(folder: Path) -> None:
    """Ask the training to end after the batch it is at.

    Raises:
        RunNotFound: the run folder is gone.
        FolderNotWritable: the request can't be written.
    """
    send_request(folder, Action.STOP_BATCH, sender=SENDER)
