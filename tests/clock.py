"""A clock that a test moves by hand."""


class Clock:
    """Run time that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time set."""
        return self.now
