"""Draws no faster than the terminal answers: on a slow line pictures become fewer, and never queue up."""

CURSOR_QUESTION = "\x1b[6n"
"""Asks where the cursor is; answered once everything before it is on screen."""
LONGEST_WAIT_SECONDS = 1.0
"""After which a picture is drawn on a terminal that has never answered yet."""
STALLED_SECONDS = 30.0
"""After which a picture is drawn on one that has: its line is stalled, or an answer was lost."""
_PATIENCE = 3
"""Questions without any answer after which the terminal is taken for one that never answers."""


class FramePacer:
    """Counts questions and answers. After each picture the terminal is asked where its cursor is."""

    def __init__(self) -> None:
        self._asked_at: float | None = None
        self._unanswered = 0
        self._answers = False

    def may_draw(self, now: float) -> bool:
        """Return whether the terminal has kept up.

        Args:
            now: seconds on a clock that never falls.
        """
        longest = STALLED_SECONDS if self._answers else LONGEST_WAIT_SECONDS
        return self._asked_at is None or now - self._asked_at >= longest

    def wants_question(self) -> bool:
        """Return whether to ask after this picture: not a terminal that never answers."""
        return self._answers or self._unanswered < _PATIENCE

    def ask(self, now: float) -> None:
        """Note that the terminal was asked."""
        self._asked_at = now
        self._unanswered += 1

    def answer(self) -> None:
        """Note that the terminal answered: it shows everything sent before the question."""
        self._asked_at = None
        self._unanswered = 0
        self._answers = True

    def forget(self) -> None:
        """Wait for no answer: the one that is due may have gone elsewhere while the screen was in the background."""
        self._asked_at = None
