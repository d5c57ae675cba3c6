"""Which arguments go with better runs."""

import csv
import io
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.run_log.many_runs import make_runs
from tui_monitor.cli.export_command import export
from tui_monitor.cli.sweep_command import print_sweeps
from tui_monitor.compare.sweep import argument_effects, sweep_of
from tui_monitor.errors import NothingMeasured, UsageError
from tui_monitor.run_log.runs.entry import Best, RunEntry
from tui_monitor.run_log.runs.parameters import write_parameters
from tui_monitor.run_log.runs.read_entry import read_entry
from tui_monitor.view.runs.sweep_rows import sweep_rows
from tui_monitor.view.text.rows import width_of


def entries(pairs: Sequence[tuple[object, float]]) -> list[RunEntry]:
    """Return runs with one argument each, and the best value that they reached."""
    return [
        RunEntry(str(index), script="train.py", arguments={"lr": str(lr)}, best={"val_loss": Best(value, 1)})
        for index, (lr, value) in enumerate(pairs)
    ]


def test_a_rank_correlation_is_spearmans() -> None:
    """Ranks decide, ties share theirs, and the interval holds the correlation."""
    pairs = [(1, 0.9), (2, 0.7), (2, 0.8), (10, 0.75), (100, 0.2), (1000, 0.1)]
    (effect,) = argument_effects(entries(pairs), "val_loss")
    first, second = np.array([0, 1.5, 1.5, 3, 4, 5]), np.array([5, 2, 4, 3, 1, 0])
    assert effect.correlation == pytest.approx(float(np.corrcoef(first, second)[0, 1]))
    assert effect.low is not None
    assert effect.high is not None
    assert effect.low < (effect.correlation or 0) < effect.high < 0


@given(st.lists(st.tuples(st.sampled_from(["1", "2", "nan", "x", "3.5"]), st.floats(0, 9)), max_size=12))
def test_any_arguments_give_bounded_correlations(pairs: list[tuple[str, float]]) -> None:
    """Whatever the arguments are, a correlation lies from −1 to 1, and an interval around it."""
    for effect in argument_effects(entries(pairs), "val_loss"):
        if effect.correlation is not None:
            assert -1 <= effect.correlation <= 1
        if effect.low is not None and effect.high is not None:
            assert -1 <= effect.low <= effect.high <= 1


def test_chance_is_seldom_taken_for_an_effect() -> None:
    """Of 300 sweeps whose argument does nothing, the 95 % interval leaves out 0 in 10 % at most."""
    drawn = random.Random(4)
    wrong = 0
    for _ in range(300):
        (effect,) = argument_effects(entries([(drawn.random(), drawn.random()) for _ in range(12)]), "val_loss")
        assert effect.low is not None
        assert effect.high is not None
        wrong += not effect.low <= 0 <= effect.high
    assert wrong <= 30


def test_many_arguments_that_do_nothing_seldom_give_an_effect() -> None:
    """Of 200 sweeps over ten such arguments, one is called an effect in 7 % at most."""
    drawn = random.Random(5)
    wrong = 0
    for _ in range(200):
        runs = [
            RunEntry(
                str(run),
                arguments={str(name): str(drawn.random()) for name in range(10)},
                best={"val_loss": Best(drawn.random(), 1)},
            )
            for run in range(15)
        ]
        wrong += any(effect.is_settled for effect in argument_effects(runs, "val_loss"))
    assert wrong <= 14


@pytest.mark.parametrize("width", [57, 77, 117])
def test_a_sweep_fits_its_width(width: int) -> None:
    """No row is wider; a hyper-parameter that has no room in the ranking is named below it."""
    drawn = random.Random(6)
    runs = [
        RunEntry(
            f"run {run} \U0001f600" * 3,
            arguments={f"name{name}" * 3: str(drawn.random()) for name in range(12)} | {"kind": "ab"[run % 2]},
            best={"val_loss": Best(drawn.random(), 1)},
        )
        for run in range(6)
    ]
    rows = sweep_rows(sweep_of(runs, "val_loss"), width)
    assert max(width_of(row) for row in rows) <= width
    assert any("No room for" in "".join(run.text for run in row) for row in rows)


def test_the_command_ranks_and_explains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The best run comes first, with what varies; the argument that matters is found among those that don't."""
    make_runs(tmp_path, 40, epochs=3)
    write_parameters(tmp_path / "run-00003", {"depth": 3, "rate": 0.1})
    assert read_entry(tmp_path / "run-00003").arguments["depth"] == "3"
    assert print_sweeps("", str(tmp_path), None) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "train.py: 40 runs"
    head = next(index for index, line in enumerate(out) if line.split()[:1] == ["best"])
    assert {"lr", "units", "seed", "depth"} <= set(out[head].split())
    values = [float(line.split()[1]) for line in out[head + 1 : head + 21]]
    assert values == sorted(values)
    assert out[-1] == "20 more are worse."
    assert any(line.startswith("lr ") and "−0." in line and "more of it goes" in line for line in out)
    with pytest.raises(NothingMeasured, match="No script"):
        print_sweeps("nothing", str(tmp_path), None)


def test_all_runs_are_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--what runs` writes a row for each run that fits, with every argument, best and last value."""
    make_runs(tmp_path, 5, epochs=3)
    assert export(None, str(tmp_path), form="csv", what="runs", output=None) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["name"] for row in rows] == [f"run-{number:05}" for number in (4, 3, 2, 1, 0)]
    entry = read_entry(tmp_path / "run-00004")
    assert float(rows[0]["best.val_loss"]) == entry.best["val_loss"].value
    assert int(rows[0]["best_epoch.val_loss"]) == entry.best["val_loss"].epoch
    assert rows[0]["argument.lr"] == entry.arguments["lr"]
    output = tmp_path / "runs.parquet"
    assert export("run-00001", str(tmp_path), form="parquet", what="runs", output=str(output)) == 0
    assert output.stat().st_size > 500
    with pytest.raises(UsageError, match="csv, jsonl or parquet"):
        export(None, str(tmp_path), form="svg", what="runs", output=None)
    with pytest.raises(UsageError, match="Name a run"):
        export(None, str(tmp_path), form="csv", what="epochs", output=None)
