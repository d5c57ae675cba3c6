"""How often `compare` is right about real pairs of trainings: `python -m tests.benchmarks.pairs`.

Two hundred planted pairs share a validation set and differ in seed, and in three of four in training data, rate or
size of the model; the true difference is that on a large test set. In two hundred pairs more neither is better: the
features are exchangeable, and the second run learns from the first one's data with its features in reverse order,
from weights in reverse order. So both are equally good on the population, and yet differ on every sample.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tui_monitor.compare.comparison import Comparison, compare
from tui_monitor.compare.paired import Difference
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.record.recorded_fit import recorded_fit
from tui_monitor.training.record.session import Session

PAIRS = 200
FEATURES, TEST = 6, 40_000

Array = NDArray[np.float32]
Samples = tuple[Array, Array]


@dataclass(frozen=True)
class Setting:
    """What one of a pair's trainings is started with."""

    seed: int
    samples: int
    rate: float = 0.01
    units: int = 8
    epochs: int = 2
    reverses: bool = False
    """Whether features and first weights are those of its pair in reverse order."""


@dataclass(frozen=True)
class Judged:
    """What was said of a pair, and what is true of it."""

    found: Comparison
    loss: float
    """True difference in loss, the second run's minus the first's, in nats."""
    accuracy: float
    """The same in accuracy, as a fraction."""

    @property
    def covered(self) -> tuple[bool, bool]:
        """Whether the intervals of loss and accuracy hold the true differences."""
        outcome = self.found.outcome
        return _holds(outcome.loss, self.loss), _holds(outcome.accuracy, self.accuracy)

    @property
    def named(self) -> tuple[bool, bool]:
        """Whether a winner is named, in loss and in accuracy."""
        outcome = self.found.outcome
        return _is_named(outcome.loss), _is_named(outcome.accuracy)

    @property
    def is_wrong(self) -> bool:
        """Whether the worse run is named the winner in loss."""
        loss = self.found.outcome.loss
        return loss is not None and loss.is_worth_naming and loss.value * self.loss < 0


def _is_named(part: Difference | None) -> bool:
    return part is not None and part.is_worth_naming


def _holds(part: Difference | None, truth: float) -> bool:
    assert part is not None
    assert part.is_paired
    assert part.low is not None
    assert part.high is not None
    return part.low <= truth <= part.high


def planted(number: int) -> tuple[Setting, Setting]:
    """Return a pair of trainings that differ in their seeds and, three times of four, in what they are started with."""
    generator = np.random.default_rng([5, number])
    samples = int(generator.integers(100, 800))
    first = Setting(2 * number, samples)
    second = replace(first, seed=2 * number + 1)
    others = (
        second,
        replace(second, samples=int(generator.integers(100, 800))),
        replace(second, rate=0.003),
        replace(second, units=32, epochs=4),
    )
    return first, others[number % len(others)]


def equal(number: int) -> tuple[Setting, Setting]:
    """Return a pair of trainings none of which is better by symmetry."""
    generator = np.random.default_rng([6, number])
    first = Setting(10_000 + number, int(generator.integers(100, 800)))
    return first, Setting(first.seed, first.samples, reverses=True)


def judged(pair: tuple[Setting, Setting], number: int, runs: Path) -> Judged:
    """Train a pair for real under the monitor, compare the two runs, and evaluate both on a large test set."""
    generator = np.random.default_rng([7, number])
    validation, test = _drawn(generator, int(generator.integers(300, 2000))), _drawn(generator, TEST)
    truths = []
    for name, setting in zip(("first", "second"), pair, strict=True):
        model = _trained(setting, validation, runs / f"{number}-{name}")
        truths.append(_each(model, test))
    loss, accuracy = (float((second - first).mean()) for first, second in zip(*truths, strict=True))
    return Judged(compare(runs / f"{number}-first", runs / f"{number}-second"), loss, accuracy)


def _drawn(generator: np.random.Generator, count: int) -> Samples:
    """Return features, exchangeable, and labels of two classes that overlap."""
    label = generator.random(count) < 0.3
    return (generator.normal(size=(count, FEATURES)) + 0.5 * label[:, None]).astype(np.float32), label.astype(
        np.float32
    )[:, None]


def _trained(setting: Setting, validation: Samples, folder: Path) -> Any:
    keras.utils.set_random_seed(setting.seed)
    layers = [keras.layers.Dense(setting.units, activation="relu"), keras.layers.Dense(1, activation="sigmoid")]
    model = keras.Sequential([keras.layers.Input((FEATURES,)), *layers])
    x, y = _drawn(np.random.default_rng([8, setting.seed]), setting.samples)
    if setting.reverses:
        x = x[:, ::-1]
        kernel, *others = model.get_weights()
        model.set_weights([kernel[::-1], *others])
    model.compile(keras.optimizers.Adam(setting.rate), "binary_crossentropy", metrics=["accuracy"])
    writer = RunWriter(folder, RunInfo(name=folder.name), heartbeat_seconds=None)
    session = Session(writer, folder, ProbeBudget(), sampling_seed=setting.seed)
    options = {"batch_size": 32, "epochs": setting.epochs, "validation_data": validation, "verbose": 0}
    recorded_fit(model.fit, model, session, [x, y], options)
    writer.close()
    return model


def _each(model: Any, samples: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each sample's loss in nats, and 1 where the model is right."""
    x, y = samples
    of_one = np.clip(model(x).numpy()[:, 0].astype(np.float64), 1e-7, 1 - 1e-7)
    chosen = np.where(y[:, 0] == 1, of_one, 1 - of_one)
    return -np.log(chosen), ((of_one > 0.5) == (y[:, 0] == 1)).astype(np.float64)


def main(arguments: list[str]) -> None:
    """Train, compare and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pairs", description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="of each kind")
    count = parser.parse_args(arguments).pairs
    found: dict[str, list[Judged]] = {"planted": [], "equal": []}
    with tempfile.TemporaryDirectory() as folder:
        for kind, pair in (("planted", planted), ("equal", equal)):
            for number in range(count):
                found[kind].append(judged(pair(number), number, Path(folder) / kind))
                keras.backend.clear_session()
                print(f"\r{kind}: {number + 1} of {count}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print("\n".join(_told(found["planted"], found["equal"])))


def _told(pairs: list[Judged], equals: list[Judged]) -> list[str]:
    covered, named = (np.array(rows).sum(axis=0) for rows in zip(*((j.covered, j.named) for j in pairs), strict=True))
    false = np.array([each.named for each in equals])
    wrong = sum(each.is_wrong for each in pairs)
    return [
        f"of {len(pairs)} planted pairs the interval holds the truth in {covered[0]} (loss), {covered[1]} (accuracy)",
        f"a winner is named in {named[0]} and {named[1]}; the worse run {wrong} times",
        f"of {len(equals)} equal pairs a winner is named in {false[:, 0].sum()} and {false[:, 1].sum()}, "
        f"in one of both in {false.any(axis=1).sum()}",
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
