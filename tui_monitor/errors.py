"""Every error that is told to the user, with the exit code it ends the command with."""


class MonitorError(Exception):
    """Something the user can act on: the message says what happened, where, and what to do.

    Caught in two places, the command line and the app, and shown without a traceback.
    """

    exit_code = 1
    """What the command exits with when this error ends it."""


class UsageError(MonitorError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


class RunNotFound(MonitorError):
    """No run folder is at the path or under the name given."""

    exit_code = 3


class RunUnreadable(MonitorError):
    """A run folder is there, but its identity is damaged or written by a newer format."""

    exit_code = 4


class FolderNotWritable(MonitorError):
    """The runs folder can't be created or written to."""

    exit_code = 5


class DependencyMissing(MonitorError):
    """An optional package that this command needs is not installed."""

    exit_code = 6


class NothingMeasured(MonitorError):
    """The run holds no values of the kind asked for (yet)."""

    exit_code = 7


class TrainingFailed(MonitorError):
    """The training process ended with an error; its own output holds the traceback."""

    exit_code = 8
