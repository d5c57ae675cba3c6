"""When the batch records of a run that is being written are summarised."""

import os
from collections.abc import Callable, Sequence
from threading import Lock

from tui_monitor.run_log.format.layout import FitInfo


class RunBlocks:
    """Summarises the records of a run that is being written; threads that come while another one does it go on."""

    def __init__(self) -> None:
        """Nobody summarises yet."""
        self._busy = Lock()

    def extend(self, folder: Callable[[], int], fits: Sequence[FitInfo]) -> None:
        """Add the blocks that the records of some fits have filled.

        Args:
            folder: returns a descriptor of the run folder that is closed here.
            fits: of the run.

        Raises:
            OSError: a file can't be read or written.
        """
        if not fits or not self._busy.acquire(blocking=False):
            return
        try:
            # NumPy reads the environment when it is imported, and a script may set that before it imports it.
            from tui_monitor.run_log.write.block_writer import extend_blocks  # noqa: PLC0415

            descriptor = folder()
            try:
                for fit in fits:
                    extend_blocks(descriptor, fit)
            finally:
                os.close(descriptor)
        finally:
            self._busy.release()
