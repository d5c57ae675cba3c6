"""What differs between Keras 3 and legacy Keras (`tf_keras`), behind one interface; only the model's own is loaded."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Protocol

LEGACY_PACKAGE = "tf_keras"
"""What `tensorflow.keras` is under TF_USE_LEGACY_KERAS=1."""


class Engine(Protocol):
    """One Keras as this package uses it; both are modules."""

    package: ModuleType
    """The package itself."""
    trainer: ModuleType
    """Where the training step reduces its replicas, with `reduce_per_replica`."""
    loss_methods: tuple[str, ...]
    """Methods of a model that are given `(x, y, y_pred, ...)` to compute its loss."""
    batch_normalization: type[Any]
    """Base class of the layers that mix the samples of a batch while training."""
    log_type: type[float]
    """Of what a training or validation function may return as a log in place of a tensor."""

    def steps_per_call(self, model: Any) -> int:
        """Return how many steps one call of the training function runs, at least 1."""

    def compiled_parts(self, model: Any) -> tuple[Any, ...]:
        """Return what `compile` set: a model compiled anew differs in at least one."""

    def loss_tracker(self, model: Any) -> Any:
        """Return the metric that reports `loss`, or None."""

    def watch_updates(
        self, model: Any, updated: Callable[[Any, Any, Any], None], outputs: Callable[[Any], None]
    ) -> None:
        """Have every mean call `updated(metric, values, sample_weight)` after it was updated.

        A loss computed past `loss_methods` calls `outputs(y_pred)`. Calling this again changes nothing.
        """

    def compiled_loss(self, model: Any) -> tuple[Any, float] | None:
        """Return the only loss object of a built model and its `loss_weights`; None with none or several."""

    def compiled_metrics(self, model: Any) -> Iterator[tuple[Any, bool]]:
        """Yield the metrics given to `compile`, each with whether it is weighted."""

    def logged_names(self, model: Any) -> dict[int, str]:
        """Return the names under which compiled metrics are logged, by `id`, where they differ from their own."""

    def unreduced(self, function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Return a loss or metric function of targets and outputs as a step has them, as Keras would align them."""

    def user_loss(self, model: Any) -> Any:
        """Return `loss=` as given to `compile`."""

    def learning_rate(self, model: Any) -> float | None:
        """Return the optimizer's learning rate at this moment, or None without an optimizer."""

    def forward(self, model: Any, x: Any, *, training: bool) -> tuple[Any, list[Any]]:
        """Return outputs and the model's own losses, inside a function given to `undisturbing`."""

    def undisturbing(self, model: Any, function: Any) -> Callable[[Any], Any]:
        """Return a `tf.function` with `forward` in it as one that leaves all state as it was."""


def engine_of(model: Any) -> Engine:
    """Return the engine of the Keras that a model belongs to.

    Args:
        model: of either Keras, subclassed or not.
    """
    if any(base.__module__.split(".")[0] == LEGACY_PACKAGE for base in type(model).__mro__):
        from tui_monitor.training import legacy_keras

        return legacy_keras
    from tui_monitor.training import keras3

    return keras3
