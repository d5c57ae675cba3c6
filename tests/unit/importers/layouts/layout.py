"""Logs in layouts like the handed ones, with made-up values and what each holds: neighbours of every kind of case."""

import csv
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Epoch = tuple[int, dict[str, float]]
Fits = list[list[Epoch]]
KERAS = ("loss", "acc", "val_loss", "val_acc")
PLAIN = ("loss", "acc")
EQ = "[==============================]"
HEAVY = "━" * 20


@dataclass(frozen=True)
class Layout:
    """One log, and the fits in it."""

    files: Mapping[str, bytes]
    """Path below a folder to content; a single file is the source itself."""
    fits: Fits
    says: str = ""
    """What is to be said of it; nothing in particular where it is empty."""
    kind: str = field(default="", compare=False)


def made_up(count: int, names: Sequence[str] = KERAS, *, first: int = 1, seed: int = 0, places: int = 4) -> list[Epoch]:
    """Return epochs with values that occur once each."""
    draw = random.Random(f"{count} {names} {first} {seed}")
    return [
        (first + index, {name: round(draw.uniform(0.1001, 0.9989), places) for name in names}) for index in range(count)
    ]


def printed(logs: Mapping[str, float], dash: str = " - ") -> str:
    """Return values as Keras prints them."""
    return dash.join(f"{name}: {value:.4f}" for name, value in logs.items())


def canonical(fits: Fits) -> Fits:
    """Return fits with the names that a run shows."""
    spelt = {"acc": "accuracy", "val_acc": "val_accuracy"}
    return [
        [(epoch, {spelt.get(name, name): value for name, value in logs.items()}) for epoch, logs in f] for f in fits
    ]


def text(content: str, fits: Fits, says: str = "", name: str = "train.log") -> Layout:
    """Return a log of one file of text."""
    return Layout({name: content.encode()}, canonical(fits), says)


def keras2(
    epochs: Sequence[Epoch],
    of: int | None = None,
    *,
    line: str = "{of}/{of} " + EQ + " - 3s 9ms/step - {told}",
    count: int = 60,
    header: str = "Epoch {n}/{of}\n",
    end: str = "\n",
) -> str:
    """Return progress text of Keras 2: a header and a finished bar for each epoch."""
    planned = of or epochs[-1][0]
    return "".join(
        header.format(n=n, of=planned) + line.format(of=count, n=n, told=printed(logs)) + end for n, logs in epochs
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]], *, delimiter: str = ",", end: str = "\n") -> str:
    """Return a table as the `csv` module writes it."""
    held = io.StringIO()
    writer = csv.writer(held, delimiter=delimiter, lineterminator=end)
    writer.writerow(header)
    writer.writerows(rows)
    return held.getvalue()
