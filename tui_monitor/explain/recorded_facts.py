"""What a run of our own knows of a fit that a log does not say, such as its loss, weights and layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tui_monitor.run_log.events.explanation import Finding
from tui_monitor.run_log.events.ledger import Cause

KNOWN = "known"
_BY_MODE = ("Dropout", "Noise", "BatchNormalization", "Random")
"""Parts of the names of Keras' layers that act otherwise in training."""


@dataclass(frozen=True)
class RecordedFit:
    """What is known of a fit beside its values."""

    loss: str = ""
    """Its loss as given to `compile`; empty where it is not known."""
    why_unmeasured: str = ""
    """Why no sample of it was measured, as the end of a sentence."""
    advice: str = ""
    """What would have it measured, in a sentence; empty where nothing would."""
    fit: int | None = None
    """Its number, where the run has several."""
    weights: str | None = None
    """Which weights it was given, as the object of a sentence; empty for none at all, None where that is not known."""
    layers: tuple[str, ...] = ()
    """Kinds of its model's layers that act otherwise in training, as far as they are known."""

    @classmethod
    def of(
        cls,
        model: Mapping[str, Any],
        arguments: Mapping[str, Any],
        why_unmeasured: str,
        advice: str = "",
        number: int | None = None,
    ) -> "RecordedFit":
        """Return what a recorded fit's description says.

        Args:
            model: its summary, as in `FitInfo.model`.
            arguments: of `fit` in printable form, as in `FitInfo.fit`.
            why_unmeasured: see the field.
            advice: likewise.
            number: of the fit, where the run has several.
        """
        kinds = [str(layer.get("kind")) for layer in model.get("layers") or () if isinstance(layer, Mapping)]
        return cls(
            str(model.get("loss") or ""),
            why_unmeasured,
            advice,
            number,
            _weights(arguments),
            tuple(dict.fromkeys(kind for kind in kinds if any(part in kind for part in _BY_MODE))),
        )


def _weights(arguments: Mapping[str, Any]) -> str | None:
    by_class = arguments.get("class_weight")
    if isinstance(by_class, Mapping) and by_class:
        listed = [f"{label}: {weight}" for label, weight in list(by_class.items())[:6]]
        return f"class weights ({', '.join(listed)}{', …' if len(by_class) > len(listed) else ''})"
    if arguments.get("sample_weight") is not None:
        return "sample weights"
    # A data set or generator may bring weights with its batches.
    is_known = by_class is None and _is_array(arguments.get("x")) and arguments.get("y") is not None
    return "" if is_known else None


def _is_array(described: Any) -> bool:
    """Whether an argument of `fit` was an array, or a list of arrays, by its printable form: type and shape."""
    if isinstance(described, list):
        return bool(described) and all(map(_is_array, described))
    return isinstance(described, str) and " (" in described


def known(fit: RecordedFit) -> list[Finding]:
    """Return what is known of a fit's weights and layers, whatever its values are."""
    found = []
    if fit.weights:
        found.append(Finding(Cause.SAMPLE_WEIGHTS, KNOWN, f"The fit was given {fit.weights}.", ""))
    elif fit.weights is not None:
        sentence = "The fit was given neither class nor sample weights: they are not a cause."
        found.append(Finding(Cause.SAMPLE_WEIGHTS, KNOWN, sentence, ""))
    if fit.layers:
        sentence = f"The model has layers that act otherwise in training: {', '.join(fit.layers)}."
        found.append(Finding(Cause.TRAIN_MODE_LAYERS, KNOWN, sentence, ""))
    return found
