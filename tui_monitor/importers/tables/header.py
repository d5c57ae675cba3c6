"""The heading of a table: what separates its cells, which column counts, and what the others are called."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tui_monitor.importers.logged_names import keras_name, matched_names
from tui_monitor.metric_names import VALIDATION_PREFIX

BLANKS = " "
_DELIMITERS = (",", ";", "\t", "|")
ABSENT = frozenset(("", "na", "n/a", "none", "null", "-", "--", "<na>", "no log"))
_EPOCHS = ("epoch", "epochs", "epoch_number", "epoch_num")
_INDEXES = ("", "unnamed:_0", "index", "level_0")
_STEPS = ("step", "_step", "global_step", "trainer/global_step", "iteration", "iter", "batch")
_SIDES = ("phase", "split", "set", "mode", "stage", "dataset", "subset", "partition")
_METRIC = re.compile(
    r"loss|acc|mae|mse|auc|err|precision|recall|f1|perplexity|iou|dice|bleu|map\d|score|r2|r_square", re.IGNORECASE
)
_VALUE_IN = re.compile(r"(?<!nnamed)[:=]\s*[\d.]")
_WHOLE_LOSS_PAIRS = ({"train_loss", "valid_loss"}, {"training_loss", "validation_loss"})


@dataclass(frozen=True)
class Heading:
    """A table's columns."""

    names: tuple[str, ...]
    """As recorded, in order; empty for a column that is no value."""
    delimiter: str
    """One character; a blank stands for any number of them."""
    epoch: int | None
    """Index of the column that counts epochs."""
    index: int | None
    """Index of pandas' row numbers; −1 where the heading has no cell for them."""
    step: int | None
    """Index of the column that counts steps: then several rows may be of one epoch."""
    side: int | None
    """Index of the column that says whether a row is of training or validation."""
    taken_for_validation: tuple[str, ...] = ()
    """Columns without a side that are validation's, as fastai and Hugging Face have it."""

    @property
    def counter(self) -> int | None:
        """Index of the column that numbers epochs, or None where rows are counted."""
        return self.epoch if self.epoch is not None else self.index


_HAS_BLANKS = re.compile(r"\s").search


def split_cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line without the blanks around them; none where it can't be cut."""
    if delimiter == BLANKS:
        return line.split()
    if delimiter == "|":
        line = line.strip().removeprefix("|").removesuffix("|")
    if '"' not in line and not _HAS_BLANKS(line):
        return line.split(delimiter)
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]
    except csv.Error:
        return []


def is_number(cell: str) -> bool:
    """Return whether a cell holds one number, perhaps with a decimal comma."""
    return number(cell) is not None


def number(cell: str) -> float | None:
    """Return a cell's number, or None; `1_000` is none."""
    try:
        return float(cell) if "_" not in cell else None
    except ValueError:
        return _with_comma(cell)


def _with_comma(cell: str) -> float | None:
    return float(cell.replace(",", ".")) if re.fullmatch(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?", cell) else None


@lru_cache(maxsize=64)
def read_heading(line: str) -> Heading | None:
    """Return what a line says as the heading of a table of values, or None where it is none."""
    if not any(map(str.isalpha, line)):
        return None
    held = [delimiter for delimiter in _DELIMITERS if delimiter in line]
    for delimiter in held or [BLANKS]:
        cells = split_cells(line.strip("\r\n").lstrip("\ufeff"), delimiter)
        if len(cells) > 1 or (cells and delimiter != BLANKS and _METRIC.search(cells[0])):
            heading = _heading(cells, delimiter, begins_blank=line[:1].isspace())
            if heading is not None:
                return heading
    return None


def _heading(cells: Sequence[str], delimiter: str, *, begins_blank: bool) -> Heading | None:
    if any(is_number(cell) for cell in cells if cell) or len({cell for cell in cells if cell}) < len(cells) - 1:
        return None
    if max(map(len, cells)) > 80 or any(_VALUE_IN.search(cell) for cell in cells):
        return None
    spelt = [re.sub(r"\s+", "_", keras_name(cell).lower()) if cell else "" for cell in cells]
    epoch = _position(spelt, _EPOCHS)
    index = _position(spelt[:1], _INDEXES)
    if index is None and delimiter == BLANKS and begins_blank and epoch is None:
        index = -1
    step, side = _position(spelt, _STEPS), _position(spelt, _SIDES)
    # A table that was exported from here counts fits, whose epochs begin again at the first.
    fit = _position(spelt, ("fit",)) if epoch is not None else None
    metrics = [
        position
        for position, cell in enumerate(cells)
        if position not in (epoch, index, step, side, fit) and cell and not cell.startswith("_")
    ]
    if not metrics or (epoch is None and not any(_METRIC.search(cells[position]) for position in metrics)):
        return None
    names = [""] * len(cells)
    matched = matched_names([cells[position] for position in metrics])
    for position in metrics:
        names[position] = matched[cells[position]]
    validations = _validations(cells, names)
    for position in validations:
        names[position] = VALIDATION_PREFIX + names[position]
    taken = tuple(cells[position] for position in validations)
    return Heading(tuple(names), delimiter, epoch, index, step, side, taken)


def _position(spelt: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((position for name in wanted for position, cell in enumerate(spelt) if cell == name), None)


def _validations(cells: Sequence[str], names: Sequence[str]) -> list[int]:
    """Return the columns that are validation's though they don't say so: fastai and Hugging Face name losses only."""
    raw = {re.sub(r"\s+", "_", cell.lower()) for cell in cells}
    if not any(pair <= raw for pair in _WHOLE_LOSS_PAIRS):
        return []
    return [
        position
        for position, (cell, name) in enumerate(zip(cells, names, strict=True))
        if name
        and keras_name(cell).lower() == cell.lower()
        and _METRIC.search(name)
        and not name.startswith("val_")
        and VALIDATION_PREFIX + name not in names
        and "train" not in cell.lower()
    ]
