"""From what Keras tells the callbacks of one `fit` to the epochs of its record; calls of other fits are ignored."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tui_monitor.training.record.epoch_reporter import EpochReporter

Began = Callable[[Any], None]
"""Gets the list of callbacks of the fit."""


class CallbackAdapter:
    """Hears a list of callbacks; it is in none."""

    def __init__(self, model: Any, epochs: EpochReporter, *, began: Began, epoch_began: Callable[[], None]) -> None:
        """Wait for the fit to begin.

        Args:
            model: about to be fit.
            epochs: told of the fit's course.
            began: told once of the list of callbacks, when training begins.
            epoch_began: called when an epoch has begun, before its first batch.
        """
        self._model = model
        self._epochs = epochs
        self._began = began
        self._epoch_began = epoch_began
        self._callbacks: Any = None

    @property
    def plan(self) -> Mapping[str, Any]:
        """What Keras has told its callbacks of the fit: `epochs` and `steps`, as far as it knows."""
        return getattr(self._callbacks, "params", None) or {}

    def called(self, callbacks: Any, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Take a call of a list of callbacks, before the callbacks get it.

        Args:
            callbacks: the list.
            name: of its method.
            args: that the method gets.
            kwargs: keyword arguments that it gets.
        """
        # A callback may fit, evaluate or predict another model meanwhile, with a list of its own.
        if self._callbacks is None and name == "on_train_begin" and _belongs(callbacks, self._model):
            self._callbacks = callbacks
            self._began(callbacks)
        if callbacks is self._callbacks and name in _HEARD:
            _HEARD[name](self, *args, **kwargs)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Begin an epoch, which Keras counts from 0."""
        self._epochs.begin_epoch(epoch + 1)
        self._epoch_began()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Record what the epoch's logs hold."""
        self._epochs.end_epoch(logs or {}, self._callbacks)

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Note that validation begins."""
        self._epochs.begin_validation()

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Note that validation has ended."""
        self._epochs.end_validation()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Note that training has ended."""
        self._epochs.end_training()


def _belongs(callbacks: Any, model: Any) -> bool:
    """Whether a list of callbacks is one of a model's fits, as far as it knows."""
    # A list that the user made may have no model; then being the first to begin training is what tells.
    of = getattr(callbacks, "model", None)
    return of is None or of is model


_HEARD: Mapping[str, Callable[..., None]] = {
    "on_epoch_begin": CallbackAdapter.on_epoch_begin,
    "on_epoch_end": CallbackAdapter.on_epoch_end,
    "on_test_begin": CallbackAdapter.on_test_begin,
    "on_test_end": CallbackAdapter.on_test_end,
    "on_train_end": CallbackAdapter.on_train_end,
}
"""What is done when a method of the list of callbacks is called, once training has begun."""
