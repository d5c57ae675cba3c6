"""Logs in layouts like the handed ones, with made-up values and what each holds: neighbours of every kind of case."""

from collections.abc import Callable, Iterator

from tests.unit.importers.layouts import progress, tables
from tests.unit.importers.layouts.layout import Layout

KINDS: dict[str, Callable[[], Iterator[Layout]]] = {
    "verbose 2": progress.verbose_2,
    "several fits": progress.several_fits,
    "still says eta": progress.still_says_eta,
    "colours": progress.colours,
    "carets": progress.carets,
    "returns removed": progress.returns_removed,
    "wrapped": progress.wrapped,
    "logged": progress.logged,
    "in the middle": progress.in_the_middle,
    "validation bars": progress.validation_bars,
    "restarts": progress.restarts,
    "evaluate bars": progress.evaluate_bars,
    "glued": progress.glued,
    "torn": progress.torn,
    "dotted": progress.dotted,
    "initial epoch": progress.initial_epoch,
    "decorated": progress.decorated,
    "captured": progress.captured,
    "tables": tables.tables,
    "tests beside": tables.tests_beside,
    "lightning": tables.lightning,
    "trainer states": tables.trainer_states,
    "objects": tables.objects,
    "downloads": tables.downloads,
    "mlflow": tables.mlflow,
    "nothing": tables.nothing,
}


def layouts() -> Iterator[tuple[str, Layout]]:
    """Yield every layout with the name of its kind and its number in it."""
    for kind, make in KINDS.items():
        for number, layout in enumerate(make()):
            yield f"{kind} {number}", layout
