"""Draws no faster than the terminal answers: a slow line gets fewer frames, never a backlog."""

CURSOR_QUESTION = "\x1b[6n"
"""Asks where the cursor is. A terminal answers once it has shown everything that came before the question."""
LONGEST_WAIT_SECONDS = 1.0
"""Time after which a frame is drawn on a terminal that has never answered."""
STALLED_SECONDS = 30.0
"""Time after which a frame is drawn on one that has answered before: its line is stalled, or an answer was lost."""
_PATIENCE = 3
"""Unanswered questions after which a terminal counts as one that never answers."""


class FramePacer:
    """Counts questions and answers. After each frame the terminal is asked where its cursor is."""

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
        """Return whether to ask after this frame: a terminal that never answers is asked no more."""
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
        """Stop waiting: the answer may have gone to the shell while the screen was in the background."""
        self._asked_at = None
