"""What is planted: each fault changes the data of both sides, the model or the call, in two strengths."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.causes.planting import FEATURES

Array = NDArray[Any]
TRAIN, VALIDATION = 2400, 1200
_DISTANCE = 2.2
_AWAY = 2.0
"""What is added to every input, so that a mean that nobody subtracts is felt."""


@dataclass(frozen=True)
class Sides:
    """Inputs as they are fed, and labels."""

    x: Array
    y: Array
    validation_x: Array
    validation_y: Array
    right_validation_x: Array
    """Validation's inputs as they should have been fed."""
    copies: Array
    """Whether each validation sample stands in training."""
    raw: Array
    """Training's inputs before they were prepared."""


@dataclass(frozen=True)
class Fault:
    """One fault in one strength."""

    term: str = ""
    """JSON name of the term that it plants; empty where a finding alone tells of it."""
    finding: str = ""
    """Finding that names it, too or alone."""
    part: str = ""
    """Kind of layer whose part of the train-mode term leads."""
    change: Callable[[Sides, np.random.Generator, int], Sides] = lambda sides, generator, classes: sides
    epochs: int = 5
    batch: int = 48
    train: int = TRAIN
    rate: float = 0.01
    noise: float = 1.0
    """Standard deviation of a sample around its class's centre."""
    momentum: float | None = None
    """Of a batch normalisation of the inputs."""
    logits: bool = False
    """Whether a model of two classes ends in a logit, on which the metric puts its threshold."""
    redrawn: bool = False
    """Whether validation is drawn anew in each epoch."""
    augmented: float = 0.0
    """Standard deviation of noise that training's pipeline adds to its inputs anew in each epoch."""
    units: int = 0
    """Units of a further hidden layer; 0 for none."""
    as_fed: Callable[[Sides, Array], Array] = lambda sides, x: x
    """Training's preparation, for other inputs of its source."""
    has_truth: bool = True
    """Whether the four causes have true effects; not where labels or validation's set are at fault."""


def centres(classes: int) -> Array:
    """Return the classes' centres, shape (classes, 12)."""
    drawn = np.random.default_rng(7).normal(size=(FEATURES, FEATURES))
    return np.asarray(_DISTANCE * np.linalg.qr(drawn)[0][:classes])


def draw(count: int, classes: int, noise: float, generator: np.random.Generator) -> tuple[Array, Array]:
    """Return inputs and labels of samples of one source."""
    y = generator.integers(0, classes, count)
    x = centres(classes)[y] + generator.normal(0.0, noise, (count, FEATURES)) + _AWAY
    return x.astype(np.float32), y


def healthy(fault: Fault, classes: int, generator: np.random.Generator) -> Sides:
    """Return both sides before anything is planted."""
    x, y = draw(fault.train, classes, fault.noise, generator)
    validation_x, validation_y = draw(VALIDATION, classes, fault.noise, generator)
    return Sides(x, y, validation_x, validation_y, validation_x, np.zeros(VALIDATION, dtype=bool), x)


def _leaked(fraction: float, noise: float = 0.0) -> Callable[[Sides, np.random.Generator, int], Sides]:
    def change(sides: Sides, generator: np.random.Generator, classes: int) -> Sides:
        count = round(fraction * VALIDATION)
        places, sources = (generator.choice(size, count, replace=False) for size in (VALIDATION, len(sides.y)))
        x, y, copies = sides.validation_x.copy(), sides.validation_y.copy(), sides.copies.copy()
        x[places] = sides.x[sources] + generator.normal(0.0, noise, (count, FEATURES))
        y[places], copies[places] = sides.y[sources], True
        return replace(sides, validation_x=x, validation_y=y, right_validation_x=x, copies=copies)

    return change


def _divided(sides: Sides, generator: np.random.Generator, classes: int) -> Sides:
    low, high = sides.x.min(), sides.x.max()

    def to_one(x: Array) -> Array:
        return ((x - low) / (high - low)).astype(np.float32)

    right = to_one(sides.validation_x)
    return replace(sides, x=4 * to_one(sides.x) / 4, validation_x=right * 255, right_validation_x=right)


def _as_divided(sides: Sides, x: Array) -> Array:
    low, high = sides.raw.min(), sides.raw.max()
    return ((x - low) / (high - low)).astype(np.float32)


def _as_centred(sides: Sides, x: Array) -> Array:
    return (x - sides.raw.mean(axis=0)).astype(np.float32)


def _centred(sides: Sides, generator: np.random.Generator, classes: int) -> Sides:
    mean = sides.x.mean(axis=0)
    return replace(sides, x=sides.x - mean, right_validation_x=sides.validation_x - mean)


def _swapped(first: int) -> Callable[[Sides, np.random.Generator, int], Sides]:
    def change(sides: Sides, generator: np.random.Generator, classes: int) -> Sides:
        mapping = np.arange(classes)
        second = (first + 1) % classes
        mapping[[first % classes, second]] = second, first % classes
        return replace(sides, validation_y=mapping[sides.validation_y])

    return change


def _shifted(places: int) -> Callable[[Sides, np.random.Generator, int], Sides]:
    return lambda sides, generator, classes: replace(sides, validation_y=np.roll(sides.validation_y, places))


def _sorted_split(strength: int) -> Callable[[Sides, np.random.Generator, int], Sides]:
    def change(sides: Sides, generator: np.random.Generator, classes: int) -> Sides:
        x, y = np.concatenate([sides.x, sides.validation_x]), np.concatenate([sides.y, sides.validation_y])
        order = np.argsort(y if strength else -y, kind="stable")
        train = len(sides.y)
        held = x[order[train:]]
        return replace(
            sides, x=x[order[:train]], y=y[order[:train]], validation_x=held, validation_y=y[order[train:]],
            right_validation_x=held, copies=np.zeros(len(held), dtype=bool),
        )  # fmt: skip

    return change


def _drifting(most: float) -> Callable[[Sides, np.random.Generator, int], Sides]:
    """Turn validation's classes towards one another, the later the sample the more."""

    def change(sides: Sides, generator: np.random.Generator, classes: int) -> Sides:
        middle = centres(classes).mean(axis=0) + _AWAY
        when = np.linspace(0, most, VALIDATION)[:, np.newaxis]
        away = centres(classes)[sides.validation_y] + _AWAY - middle
        x = (sides.validation_x - when * away).astype(np.float32)
        return replace(sides, validation_x=x, right_validation_x=x)

    return change


def _other_source(most: float) -> Callable[[Sides, np.random.Generator, int], Sides]:
    """Move validation's classes towards one another, all samples alike."""

    def change(sides: Sides, generator: np.random.Generator, classes: int) -> Sides:
        middle = centres(classes).mean(axis=0) + _AWAY
        x = (sides.validation_x - most * (centres(classes)[sides.validation_y] + _AWAY - middle)).astype(np.float32)
        return replace(sides, validation_x=x, right_validation_x=x)

    return change


_SMALL = {"train": 480, "units": 64, "epochs": 25, "noise": 1.6, "batch": 12}


def _both(make: Callable[[int], Fault]) -> tuple[Fault, Fault]:
    return make(0), make(1)


FAULTS: Mapping[str, tuple[Fault, Fault]] = {
    "2 % leaked": _both(lambda s: Fault("leaked", "copies", change=_leaked(0.02), noise=(1.3, 1.6)[s])),
    "10 % leaked": _both(lambda s: Fault("leaked", "copies", change=_leaked(0.1), noise=(1.3, 1.6)[s])),
    "50 % leaked": _both(
        lambda s: Fault("leaked", "copies", change=_leaked(0.5), **{**_SMALL, "train": 720, "epochs": (15, 25)[s]})  # type: ignore[arg-type]
    ),
    "2 % leaked, noisy": _both(
        lambda s: Fault("leaked", "copies", change=_leaked(0.02, (0.02, 0.05)[s]), noise=(1.3, 1.6)[s])
    ),
    "10 % leaked, noisy": _both(
        lambda s: Fault("leaked", "copies", change=_leaked(0.1, (0.02, 0.1)[s]), noise=(1.3, 1.6)[s])
    ),
    "50 % leaked, noisy": _both(
        lambda s: Fault(
            "leaked",
            "copies",
            change=_leaked(0.5, (0.02, 0.1)[s]),
            **{**_SMALL, "train": 720, "epochs": (15, 25)[s]},  # type: ignore[arg-type]
        )
    ),
    "÷255 on one side": _both(
        lambda s: Fault("input_scale", change=_divided, as_fed=_as_divided, rate=(0.01, 0.03)[s])
    ),
    "mean on one side": _both(lambda s: Fault("input_scale", change=_centred, as_fed=_as_centred, noise=(1.0, 1.3)[s])),
    "two classes swapped": _both(lambda s: Fault(finding="label_map", has_truth=False, change=_swapped(s))),
    "labels shifted": _both(lambda s: Fault(finding="labels_shifted", has_truth=False, change=_shifted((1, -1)[s]))),
    "sorted split": _both(lambda s: Fault(finding="missing_classes", has_truth=False, change=_sorted_split(s))),
    "ordered with drift": _both(lambda s: Fault("unfamiliar", "validation_drifts", change=_drifting((0.8, 1.2)[s]))),
    "augmentation": _both(lambda s: Fault("unfamiliar", augmented=(0.8, 1.2)[s])),
    "covariate shift": _both(lambda s: Fault("unfamiliar", change=_other_source((0.3, 0.5)[s]))),
    "batch norm .999": _both(
        lambda s: Fault("train_mode_layers", part="batch_norm_lag", momentum=(0.99, 0.999)[s], epochs=2)
    ),
    "batches of 4": _both(
        lambda s: Fault(
            "train_mode_layers", part="batch_norm_noise", momentum=0.9, batch=(6, 4)[s], epochs=3, train=1200
        )
    ),
    "threshold on logits": _both(lambda s: Fault(finding="metric_threshold", logits=True, noise=(1.5, 2.0)[s])),
    "validation redrawn": _both(
        lambda s: Fault(finding="validation_changes", has_truth=False, redrawn=True, epochs=(3, 5)[s])
    ),
    "overfitting": _both(
        lambda s: Fault("memorised", **{**_SMALL, "epochs": (15, 25)[s]})  # type: ignore[arg-type]
    ),
}
"""Faults by name, weak and strong."""

CONTROLS: Mapping[str, Fault] = {
    "healthy": Fault(),
    "healthy, noisier": Fault(noise=1.6, epochs=3),
    "healthy, batch norm": Fault(momentum=0.9),
}
"""Nothing planted."""
