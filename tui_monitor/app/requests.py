"""What the screen asks of the training process, through the run folder."""

from pathlib import Path


def request(folder: Path, name: str) -> None:
    """Leave a request in the run folder.

    Args:
        folder: of the run.
        name: `stop` or `kill`.

    Raises:
        FolderNotWritable: the request can't be written.
    """
    from tui_monitor.run_log.control import send_request  # noqa: PLC0415

    send_request(folder, name)
