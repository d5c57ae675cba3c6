"""The demo's scenarios: synthetic imbalanced data, each with one planted cause, known to arithmetic alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_monitor.errors import UsageError

TRAINING_SAMPLES = 10_708
_SEPARABLE_SHIFT = 2.5
_SPREAD = 0.5
_SMALL, _LARGE = 8, 64

Inputs = NDArray[np.float32]
"""Shape (n, 1, features): one time step."""
Targets = NDArray[np.float32]
"""Shape (n, 2), one-hot."""


@dataclass(frozen=True)
class Scenario:
    """What the demo trains on, and what it shows."""

    name: str
    description: str
    """What is planted and what to look for, shown on screen."""
    train_minority: float = 0.20
    """Fraction of class 1 in training."""
    validation_minority: float = 0.20
    """Fraction of class 1 in validation."""
    separable: float = 0.19
    """Fraction of class 1 that the feature sets apart; the rest looks like class 0."""
    class_weight: tuple[float, float] | None = None
    """Weights of the two classes in training, or None."""
    dropout: float = 0.0
    """Rate between the LSTM and the output layer."""
    learning_rate: float = 0.001
    validation_samples: int = 2_700
    flipped: float = 0.0
    """Fraction of training labels that are wrong, as many of each class."""
    train_samples: int = TRAINING_SAMPLES
    features: int = 1
    """Of each sample; those beyond the first are noise, by which a sample can be told from all others."""
    units: int = 16
    """Of the LSTM."""
    leaked: float = 0.0
    """Fraction of validation that is copied from training."""
    is_rescaled: bool = False
    """Whether inputs run from 0 to 1 in training and from 0 to 255 in validation."""
    momentum: float | None = None
    """Of a batch normalisation of the inputs, which are not centred then; None for no such layer."""
    every_batch_same: bool = False
    """Whether training metrics count each batch the same, whatever its size, and small ones hold the minority."""


_BY_HEART: dict[str, Any] = {
    "train_samples": 1_500,
    "features": 40,
    "units": 64,
    "train_minority": 0.5,
    "validation_minority": 0.5,
    "separable": 0.5,
    "learning_rate": 0.01,
}
"""A training set that a model can learn by heart in a few epochs, though half of a class looks like the other."""

_SCENARIOS = (
    Scenario(
        "question",
        "The question's own run: class weights raise the training loss alone, and validation holds more of the "
        "minority (25 % against 20 %), so both val_loss and val_acc are lower.",
        validation_minority=0.25,
        class_weight=(1.0, 1.75),
    ),
    Scenario(
        "class-weight",
        "Class weights alone, equal class shares: the training loss is raised, accuracy is left as it is.",
        class_weight=(1.0, 1.75),
    ),
    Scenario(
        "dropout",
        "Dropout alone: it acts in training only, so training loss is higher and training accuracy lower than the "
        "same weights earn in validation.",
        separable=0.8,
        dropout=0.8,
    ),
    Scenario(
        "class-mix",
        "25 % of the minority in training, 5 % in validation, no weights: validation is easier by its mix, in loss "
        "and in accuracy.",
        train_minority=0.25,
        validation_minority=0.05,
    ),
    Scenario(
        "averaging",
        "A model that still learns: the training value averages the whole epoch, so it lags behind: loss higher, "
        "accuracy lower than validation, never both higher and lower.",
        separable=0.95,
        learning_rate=0.0003,
    ),
    Scenario(
        "batch-size",
        "Every batch counts the same, as Keras 2's progress bar did, and the small batches hold the minority: "
        "training looks worse than it is.",
        every_batch_same=True,
    ),
    Scenario(
        "label-noise",
        "One training label in eight is wrong, validation is clean: the same class is harder in training.",
        separable=0.95,
        flipped=0.125,
    ),
    Scenario(
        "leak",
        "Four in five validation samples stand in training, which is learned by heart: validation looks better than it "
        "is, and the leak is what it would lose without its copies.",
        **_BY_HEART,
        validation_samples=1_500,
        leaked=0.8,
    ),
    Scenario(
        "scale",
        "Inputs divided by 255 in training alone: validation's loss is what such inputs cost, and would be training's "
        "if they were divided, too.",
        is_rescaled=True,
        separable=0.95,
        learning_rate=0.005,
    ),
    Scenario(
        "batch-norm-lag",
        "Batch norm with a momentum of 0.9999 in short epochs: its moving statistics lag, so validation is far worse "
        "than the same weights are with statistics of now.",
        momentum=0.9999,
        separable=0.95,
        learning_rate=0.005,
    ),
    Scenario(
        "overfitting",
        "A small training set, learned by heart: its samples become easier than others of their class.",
        **_BY_HEART,
    ),
    Scenario(
        "small-validation",
        "Only 60 validation samples: whatever gap appears, chance alone would give it.",
        validation_samples=60,
    ),
    Scenario(
        "healthy",
        "Nothing planted: equal shares, no weights, no dropout. The gaps are small and no cause is named.",
    ),
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _SCENARIOS}
DEFAULT = _SCENARIOS[0].name


def scenario_named(name: str) -> Scenario:
    """Return a scenario.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return SCENARIOS[name]
    except KeyError:
        raise UsageError(f"There is no scenario {name!r}. Choose one of: {', '.join(SCENARIOS)}.") from None


@dataclass(frozen=True)
class DemoData:
    """One scenario's samples and the sizes of its batches."""

    x: Inputs
    y: Targets
    validation_x: Inputs
    validation_y: Targets
    batch_sizes: tuple[int, ...]
    """Unequal sizes that add up to the training samples."""
    scenario: Scenario
    seed: int

    def batches(self) -> Iterator[tuple[Inputs, Targets]]:
        """Yield batches without end, every sample once an epoch, in an order drawn from the seed alone."""
        generator = np.random.default_rng([self.seed, 1])
        minority = np.flatnonzero(self.y[:, 1] == 1)
        majority = np.flatnonzero(self.y[:, 1] == 0)
        while True:
            if self.scenario.every_batch_same:
                dealt = _minority_in_small_batches(minority, majority, self.batch_sizes, generator)
                parts = [dealt[i] for i in generator.permutation(len(dealt))]
            else:
                order = generator.permutation(len(self.x))
                parts = np.split(order, np.cumsum(self.batch_sizes)[:-1])
            for part in parts:
                yield self.x[part], self.y[part]


def make_data(scenario: Scenario, seed: int) -> DemoData:
    """Return the scenario's data, the same for the same seed; class shares are exact, not drawn."""
    generator = np.random.default_rng([seed, 0])
    x, labels = _samples(scenario.train_samples, scenario.train_minority, scenario.separable, generator)
    validation_x, validation_labels = _samples(
        scenario.validation_samples, scenario.validation_minority, scenario.separable, generator
    )
    _flip(labels, round(scenario.flipped * labels.size / 2), generator)
    x, validation_x = (_with_noise(side, scenario.features, generator) for side in (x, validation_x))
    if scenario.leaked:
        copies = round(scenario.leaked * validation_labels.size)
        sources = generator.permutation(labels.size)[: min(copies, labels.size)]
        targets = generator.choice(validation_labels.size, sources.size, replace=False)
        validation_x[targets], validation_labels[targets] = x[sources], labels[sources]
    if scenario.is_rescaled:
        x, validation_x = (x + 3) / np.float32(9), (validation_x + 3) / np.float32(9) * np.float32(255)
    if scenario.momentum is not None:
        x, validation_x = 4 + 3 * x, 4 + 3 * validation_x
    return DemoData(
        x=x,
        y=np.eye(2, dtype=np.float32)[labels],
        validation_x=validation_x,
        validation_y=np.eye(2, dtype=np.float32)[validation_labels],
        batch_sizes=_batch_sizes(scenario, generator),
        scenario=scenario,
        seed=seed,
    )


def _samples(
    count: int, minority: float, separable: float, generator: np.random.Generator
) -> tuple[Inputs, NDArray[np.int64]]:
    ones = round(count * minority)
    labels = generator.permutation(np.repeat(np.array([1, 0]), [ones, count - ones]))
    x = generator.normal(0.0, _SPREAD, count)
    apart = generator.choice(np.flatnonzero(labels == 1), round(separable * ones), replace=False)
    x[apart] += _SEPARABLE_SHIFT
    return x.astype(np.float32).reshape(count, 1, 1), labels


def _with_noise(x: Inputs, features: int, generator: np.random.Generator) -> Inputs:
    """Return inputs with features of noise added, shape (n, 1, features); nothing is drawn for one feature."""
    if features == 1:
        return x
    noise = generator.normal(0.0, 1.0, (len(x), 1, features - 1)).astype(np.float32)
    return np.concatenate([x, noise], axis=2)


def _flip(labels: NDArray[np.int64], of_each: int, generator: np.random.Generator) -> None:
    """Make as many labels of each class wrong, in place, so that class shares stay what they are."""
    chosen = [generator.choice(np.flatnonzero(labels == label), of_each, replace=False) for label in (0, 1)]
    for label, indices in enumerate(chosen):
        labels[indices] = 1 - label


def _batch_sizes(scenario: Scenario, generator: np.random.Generator) -> tuple[int, ...]:
    sizes: list[int] = []
    left = scenario.train_samples
    while left > 0:
        drawn = (_SMALL, _LARGE)[len(sizes) % 2] if scenario.every_batch_same else generator.integers(_SMALL, _LARGE)
        sizes.append(min(int(drawn), left))
        left -= sizes[-1]
    return tuple(sizes)


def _minority_in_small_batches(
    minority: NDArray[np.int64],
    majority: NDArray[np.int64],
    sizes: tuple[int, ...],
    generator: np.random.Generator,
) -> list[NDArray[np.int64]]:
    """Return the indices of each batch, the minority dealt to the small ones first, half of each."""
    minority, majority = generator.permutation(minority), generator.permutation(majority)
    small_total = sum(size for size in sizes if size == _SMALL)
    in_small = min(len(minority), small_total // 2)
    large_total = sum(sizes) - small_total
    parts, used_minority, used_majority = [], 0, 0
    for size in sizes:
        if size == _SMALL:
            ones = round(in_small / max(small_total, 1) * size)
        else:
            ones = round((len(minority) - in_small) / large_total * size)
        ones = min(ones, len(minority) - used_minority)
        ones = max(ones, size - (len(majority) - used_majority))
        zeros = size - ones
        parts.append(
            np.concatenate(
                [minority[used_minority : used_minority + ones], majority[used_majority : used_majority + zeros]]
            )
        )
        used_minority += ones
        used_majority += zeros
    return parts
