"""What is planted: each recipe names the causes it plants and what of data, model or call plants them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

EVEN_RATES = (0.03, 0.03, 0.02, 0.007, 0.002)
"""Learning rates of five epochs, after which a model of these sizes has settled."""
WARM_UP_RATES = (1e-5, 1e-5, 1e-5, 1e-5)


@dataclass(frozen=True)
class Recipe:
    """One run's data, model and call. The hard class is the last one: half of it looks like the first."""

    loss_cause: str | None = None
    """JSON name of the cause planted in the loss gap; None where chance alone is left."""
    accuracy_cause: str | None = None
    train_samples: int = 9600
    validation_samples: int = 4000
    hard_share: float = 0.25
    """Share of the hard class in training."""
    validation_hard_share: float | None = None
    """Share of the hard class in validation; None for training's."""
    hard_class_weight: float = 1.0
    sample_weights: float = 1.0
    """Weight of the half of the samples that lies farthest from its class's centre."""
    dropout: float = 0.0
    noise: float = 0.0
    """Standard deviation of a `GaussianNoise` layer on the inputs."""
    batch_norm_momentum: float | None = None
    """Of a batch normalisation of inputs that are then not centred; None for no such layer."""
    train_flips: float = 0.0
    """Fraction of training labels drawn anew."""
    validation_flips: float = 0.0
    every_batch_same: bool = False
    """Whether small batches hold most of the hard class and every batch counts the same."""
    learning_rates: tuple[float, ...] = EVEN_RATES

    @property
    def layers(self) -> tuple[object, ...]:
        """Everything that makes the recipe's graph another one than a plain model's."""
        weighted = self.hard_class_weight != 1.0 or self.sample_weights != 1.0
        return (
            self.dropout,
            self.noise,
            self.batch_norm_momentum,
            self.every_batch_same,
            weighted,
        )


def _class_weights(strength: int) -> Recipe:
    return Recipe("sample_weights", None, hard_class_weight=(1.75, 3.0)[strength])


def _sample_weights(strength: int) -> Recipe:
    return Recipe("sample_weights", None, sample_weights=(2.0, 4.0)[strength])


def _dropout(strength: int) -> Recipe:
    return Recipe("train_mode_layers", "train_mode_layers", dropout=(0.4, 0.6)[strength])


def _noise(strength: int) -> Recipe:
    return Recipe("train_mode_layers", "train_mode_layers", noise=(0.7, 1.0)[strength])


def _batch_norm(strength: int) -> Recipe:
    return Recipe("train_mode_layers", "train_mode_layers", batch_norm_momentum=(0.995, 0.998)[strength])


def _averaging(strength: int) -> Recipe:
    rates = (*WARM_UP_RATES, (0.004, 0.008)[strength])
    return Recipe("in_epoch_averaging", "in_epoch_averaging", learning_rates=rates)


def _more_of_hard(strength: int) -> Recipe:
    return Recipe("class_mix", "class_mix", validation_hard_share=(0.4, 0.6)[strength])


def _less_of_hard(strength: int) -> Recipe:
    return Recipe("class_mix", "class_mix", hard_share=(0.3, 0.45)[strength], validation_hard_share=0.1)


def _every_batch_same(strength: int) -> Recipe:
    return Recipe("batch_averaging", "batch_averaging", every_batch_same=True, hard_share=(0.15, 0.25)[strength])


def _noisy_validation(strength: int) -> Recipe:
    return Recipe("within_class", "within_class", validation_flips=(0.1, 0.25)[strength])


def _noisy_training(strength: int) -> Recipe:
    return Recipe("within_class", "within_class", train_flips=(0.1, 0.25)[strength])


def _overfitting(strength: int) -> Recipe:
    return Recipe(
        "within_class",
        "within_class",
        train_samples=360,
        train_flips=0.2,
        validation_flips=0.2,
        learning_rates=(0.05,) * (10, 18)[strength],
    )


def _together(first: Recipe, second: Recipe, loss: str, accuracy: str | None, **both: object) -> Recipe:
    """Return a recipe with everything that either plants; `loss` and `accuracy` are what should lead."""
    plain = vars(Recipe())
    changed = {
        name: value
        for recipe in (first, second)
        for name, value in vars(recipe).items()
        if value != plain[name] and name not in ("loss_cause", "accuracy_cause")
    }
    return replace(Recipe(loss, accuracy), **{**changed, **both})


def _weights_and_mix(strength: int) -> Recipe:
    mix = replace(_more_of_hard(0), validation_hard_share=(0.32, 0.38)[strength])
    return _together(_class_weights(strength), mix, "sample_weights", "class_mix")


def _dropout_and_averaging(strength: int) -> Recipe:
    return _together(_dropout(strength), _averaging(1), "in_epoch_averaging", "in_epoch_averaging")


def _noise_and_mix(strength: int) -> Recipe:
    return _together(_noise(1), _less_of_hard(strength), "train_mode_layers", "train_mode_layers")


def _weights_and_dropout(strength: int) -> Recipe:
    return _together(_class_weights(strength), _dropout(0), "sample_weights", "train_mode_layers")


CAUSES: Mapping[str, Callable[[int], Recipe]] = {
    "class weights": _class_weights,
    "sample weights": _sample_weights,
    "dropout": _dropout,
    "Gaussian noise": _noise,
    "batch norm that lags": _batch_norm,
    "averaged while learning": _averaging,
    "more of the hard class": _more_of_hard,
    "less of the hard class": _less_of_hard,
    "every batch counts the same": _every_batch_same,
    "label noise in validation": _noisy_validation,
    "label noise in training": _noisy_training,
    "overfitting": _overfitting,
    "weights + mix": _weights_and_mix,
    "dropout + averaging": _dropout_and_averaging,
    "weights + dropout": _weights_and_dropout,
    "noise + mix": _noise_and_mix,
}
"""Recipes by name, each from a strength: 0 weak, 1 strong."""

CONTROLS: Mapping[str, Recipe] = {
    "healthy": Recipe(),
    "healthy, small validation": Recipe(validation_samples=150),
}
"""Nothing planted: whatever gap there is, chance alone gave it."""
