"""Logs as people have them: handed cases and their neighbours, each exact, with what is said of it."""

import json
from pathlib import Path

import pytest

from tests.unit.importers.layouts import KINDS
from tests.unit.importers.layouts.layout import Layout
from tests.unit.importers.reading import NOW
from tui_monitor.errors import UsageError
from tui_monitor.history.load import load
from tui_monitor.importers.importing import import_runs

CASES = Path(__file__).with_name("logs")
EXPECTED = ".expected.json"
Fits = list[list[tuple[int, dict[str, float]]]]


def _read(source: Path, runs: Path) -> tuple[Fits, str]:
    """Return the fits that a source holds, and what was said; none where it is refused, with no run left."""
    try:
        imported = import_runs(source, runs, NOW)
    except UsageError as error:
        assert not runs.exists() or not list(runs.iterdir())
        return [], str(error)
    fits = [[(row.epoch, dict(row.metrics)) for row in fit.epochs] for one in imported for fit in load(one.folder).fits]
    return fits, " ".join(sentence for one in imported for sentence in one.remarks)


@pytest.mark.parametrize("case", sorted(path.name.removesuffix(EXPECTED) for path in CASES.glob(f"*{EXPECTED}")))
def test_a_handed_log_is_read_exactly(case: str, tmp_path: Path) -> None:
    """Every epoch, value and fit of a log, no more and no less; one without an ended epoch leaves no run."""
    wanted = json.loads((CASES / f"{case}{EXPECTED}").read_text())["fits"]
    fits, _ = _read(CASES / case, tmp_path / "runs")
    assert fits == [[(epoch, logs) for epoch, logs in fit] for fit in wanted]


def _write(layout: Layout, folder: Path) -> Path:
    for name, content in layout.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder if len(layout.files) > 1 else path


@pytest.mark.parametrize("kind", KINDS)
def test_every_neighbour_is_read_exactly(kind: str, tmp_path: Path) -> None:
    """Logs of one kind that differ in what a place, a version or a tool does are each read exactly, and said so."""
    for number, layout in enumerate(KINDS[kind]()):
        source = _write(layout, tmp_path / f"{number}")
        fits, said = _read(source, tmp_path / f"runs-{number}")
        assert fits == layout.fits, f"{kind} {number}"
        assert layout.says in said, f"{kind} {number}: {said}"
