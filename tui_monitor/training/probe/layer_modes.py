"""Which layers compute something else in training mode, and which mix the samples of a batch there."""

from typing import Any, Final

from tui_monitor.training.backends.backend import Backend

_BY_MODE: Final = ("Dropout", "Noise", "BatchNormalization", "Spectral", "Random", "Mix", "Augment", "Attention")
"""Parts of the names of Keras' layers that act by mode."""


def depends_on_batch(backend: Backend, layer: Any) -> bool:
    """Whether a layer's output for one sample may depend on the others in training mode."""
    # A stateful layer begins where it ended on the batch before, so batches can't share a pass.
    if isinstance(layer, backend.batch_normalization) or getattr(layer, "stateful", False) is True:
        return True
    return not backend.is_own(type(layer)) and not isinstance(layer, backend.package.Model)


def acts_by_mode(backend: Backend, layer: Any) -> bool:
    """Whether a layer may behave differently in training and in inference mode."""
    if isinstance(layer, backend.package.Model):
        return False
    if not backend.is_own(type(layer)) or any(part in type(layer).__name__ for part in _BY_MODE):
        return True
    return any(bool(getattr(layer, name, 0)) for name in ("dropout", "recurrent_dropout"))
