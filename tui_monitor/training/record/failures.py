"""What has failed in one `fit`: it ends its own part of the recording, and the first failure is said in a sentence."""

from collections.abc import Callable
from typing import Any

from tui_monitor.run_log.events.notifications import AlertRaised
from tui_monitor.run_log.format.error_text import in_a_line
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.guard import attempt, ignored, tell


class FitFailures:
    """Which parts of the recording still go on: batches, measurements, alerts."""

    def __init__(self, writer: RunWriter) -> None:
        """Begin with all parts going on.

        Args:
            writer: of the run; gets the sentence.
        """
        self._writer = writer
        self._is_said = False
        self._when_batches_stop: tuple[Callable[[], Any], ...] = ()
        self.epoch = 1
        """Under way, from 1: the one that a sentence names."""
        self.batches_stopped = False
        self.measures = True
        self.observes = True
        self.why_nothing_is_measured = ""
        """A sentence, or empty."""

    def when_batches_stop(self, *actions: Callable[[], Any]) -> None:
        """Name what is to be called once the recording of batches has stopped."""
        self._when_batches_stop = actions

    def say(self, text: str) -> None:
        """Say what failed, once for a fit: what fails afterwards follows from the first failure as a rule."""
        if not self._is_said:
            self._is_said = True
            self._writer.event(AlertRaised(text=text, epoch=self.epoch))

    def stop_batches(self, error: Exception) -> None:
        """Stop recording batches and say why, once; training goes on, and epochs are recorded on."""
        if self.batches_stopped:
            return
        # Set before anything is said: writing the sentence may fail, too, and come back here.
        self.batches_stopped = True
        self.say(f"Recording of batches stopped: {in_a_line(error)}. Training goes on.")
        for action in self._when_batches_stop:
            attempt(ignored, action, otherwise=None)

    def batch_failed(self, error: Exception) -> None:
        """Stop recording batches, unless the error is that of a signal handler of the user's, which passes."""
        tell(self.stop_batches, error)

    def stop_measuring(self, error: Exception) -> None:
        """Measure no more in this fit."""
        if self.measures:
            self.measures = False
            text = f"Nothing is measured from epoch {self.epoch} on, as it failed ({in_a_line(error)})."
            self.why_nothing_is_measured = text
            self.say(f"{text} Recording goes on.")

    def stop_observing(self, error: Exception) -> None:
        """Raise no more alerts in this fit."""
        if self.observes:
            self.observes = False
            text = f"No alerts are raised from epoch {self.epoch} on, as that failed ({in_a_line(error)})."
            self.say(f"{text} Recording goes on.")

    def observe(self, action: Callable[..., Any], *args: Any) -> None:
        """Call what may raise alerts, unless such a call has failed before."""
        if self.observes:
            attempt(self.stop_observing, action, *args, otherwise=None)
