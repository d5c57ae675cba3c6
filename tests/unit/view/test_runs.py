"""The table of runs: which stay under a filter, in which order, and in which columns."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.run_log.many_runs import make_runs
from tui_monitor.cli.list_command import list_all
from tui_monitor.errors import UsageError
from tui_monitor.run_log.format.layout import State
from tui_monitor.run_log.runs.arguments import varying
from tui_monitor.run_log.runs.entry import Best, RunEntry
from tui_monitor.view.runs.columns import COLUMNS, TableContext, fitted, sorted_entries
from tui_monitor.view.runs.differences import differences
from tui_monitor.view.runs.prepared import prepare
from tui_monitor.view.runs.query import read_query, searched_text
from tui_monitor.view.runs.table import empty_rows
from tui_monitor.view.runs.table_state import TableState
from tui_monitor.view.text.bars import sparkline
from tui_monitor.view.text.rows import end_of

GOOD = RunEntry(
    "good",
    state=State.FINISHED,
    epoch=9,
    best={"val_loss": Best(0.3, 5), "accuracy": Best(0.9, 7)},
    values={"val_loss": 0.5},
    script="train.py",
    arguments={"lr": "0.1", "units": "64"},
    tags=("baseline",),
    seconds=700.0,
    created=1.7e9,
    host="gpu1",
)
LIVE = RunEntry("live one", state=State.TRAINING, epoch=2, best={"val_loss": Best(0.6, 2)}, script="train.py")
FAILED = RunEntry("bad", state=State.FAILED, problem="run.json is damaged", script="other.py")
ENTRIES = (GOOD, LIVE, FAILED)

FILTERS = [
    ("", "good, live one, bad"),
    ("state:live", "live one"),
    ("state:ended", "good, bad"),
    ("state:fin", "good"),
    ("-state:live", "good, bad"),
    ("val_loss<0.4", "good"),
    ("last.val_loss<0.4", ""),
    ("last.val_loss=0.5", "good"),
    ("accuracy>=0.9", "good"),
    ("lr=0.1", "good"),
    ("lr=1e-1", "good"),
    ("lr!=0.1", ""),
    ("epoch>1", "good, live one"),
    ("took>10min", "good"),
    ("started>2023-11-01", "good"),
    ("tag:base", "good"),
    ("script:train GOOD", "good"),
    ('"live one"', "live one"),
    ("^(good|bad)", "good, bad"),
    ("units=64 tag:base", "good"),
    ("gpu1", "good"),
    ("(", ""),
    ("nothing_of_it<1", ""),
]


@pytest.mark.parametrize(("text", "kept"), FILTERS)
def test_a_filter(text: str, kept: str) -> None:
    """Every word of a filter must hold."""
    query = read_query(text)
    assert not query.complaint
    assert ", ".join(entry.name for entry in ENTRIES if query.keeps(entry)) == kept


def test_a_state_that_is_none_is_said() -> None:
    """A wrong state names the right ones, and leaves every run in: the user is still typing."""
    query = read_query("state:x")
    assert "starting" in query.complaint
    assert all(query.keeps(entry) for entry in ENTRIES)


@given(st.text(max_size=40))
def test_any_text_is_a_filter(text: str) -> None:
    """Whatever is typed, nothing fails, and the text at hand gives what making it anew gives."""
    query = read_query(text)
    for entry in ENTRIES:
        assert query.keeps(entry) == query.keeps(entry, searched_text(entry))


ORDERS = [
    ("val_loss", "good, live one, bad"),
    ("-val_loss", "live one, good, bad"),
    ("best", "good, live one, bad"),
    ("accuracy", "good, bad, live one"),
    ("run", "bad, good, live one"),
    ("started", "good, bad, live one"),
    ("lr", "good, bad, live one"),
    ("-epoch", "good, live one, bad"),
]


@pytest.mark.parametrize(("by", "names"), ORDERS)
def test_an_order(by: str, names: str) -> None:
    """The best come first, the newest come first, and what has no value comes last, whichever way round."""
    ordered = sorted_entries(ENTRIES, by, TableContext())
    assert ", ".join(entry.name for entry in ordered) == names


def test_what_differs_is_found_script_by_script() -> None:
    """An argument that all runs of a script share is left out, and so is one that always equals another."""
    runs = [
        RunEntry("a", script="x", arguments={"lr": "1", "rate": "1.0", "units": "8", "same": "s"}, fits=1),
        RunEntry("b", script="x", arguments={"lr": "2", "rate": "2e0", "units": "8", "same": "s"}, fits=1),
        RunEntry("c", script="x", arguments={"lr": "2", "rate": "2e0", "same": "s"}, fits=1),
        RunEntry("d", script="y", arguments={"lr": "7"}),
    ]
    found = differences(runs)
    assert [found.text(run) for run in runs] == ["lr=1 units=8", "lr=2 units=8", "lr=2", ""]


def test_a_run_whose_fit_has_not_begun_makes_nothing_differ() -> None:
    """What is not known of it yet is no difference; what it was started with is."""
    runs = [
        RunEntry("a", script="x", arguments={"lr": "1", "epochs": "9", "loss": "mse"}, fits=1),
        RunEntry("b", script="x", arguments={"lr": "1", "epochs": "9", "loss": "mse"}, fits=1),
        RunEntry("c", script="x", arguments={"lr": "2"}),
    ]
    found = differences(runs)
    assert [found.text(run) for run in runs] == ["lr=1", "lr=1", "lr=2"]


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy")), max_size=5))
def test_only_what_varies_is_named(arguments: list[dict[str, str]]) -> None:
    """Each name found has at least two values, one of which may be that it is missing."""
    for name in varying(arguments):
        assert len({given.get(name) for given in arguments}) > 1


@given(st.integers(20, 300))
def test_columns_fit_any_width(width: int) -> None:
    """Whatever the width, columns and the blanks between them fit, and the run's name is there."""
    context = TableContext(differences=differences(ENTRIES))
    rows = [[column.heading(context) for column in COLUMNS]]
    rows += [[column.cell(entry, context) for column in COLUMNS] for entry in ENTRIES]
    shown = fitted(COLUMNS, rows, width, len)
    assert shown[0][0].name == "run"
    assert sum(size for _, size in shown) + 2 * (len(shown) - 1) <= width


@example([1.7976931348623157e308, -1.7976931348623157e308], 2)
@example([5e-324, 0.0], 2)
@given(st.lists(st.floats(), max_size=80), st.integers(1, 40))
def test_a_sparkline_is_no_wider_than_asked(values: list[float], width: int) -> None:
    """The lowest value has the lowest bar; the last value is always drawn."""
    drawn = sparkline(values, width)
    assert len(drawn) == min(width, len(values))


def test_ls_sorts_filters_and_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`ls` prints the runs that fit, best first; as JSON with all that is known of them."""
    make_runs(tmp_path, 45, epochs=3)
    assert list_all(str(tmp_path), sort="val_loss", filter_by="lr=0.1 -units=32") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split()[:3] == ["run", "state", "epoch"]
    assert all("lr=0.1" in line and "units=32" not in line for line in out[1:])
    values = [float(line.split()[3]) for line in out[1:]]
    assert values == sorted(values)
    assert list_all(str(tmp_path), as_json=True) == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(objects) == 45
    assert objects[0]["best"]["val_loss"]["epoch"] in (1, 2, 3)
    assert set(objects[0]["differs"]) == {"lr", "units", "seed"}
    assert list_all(str(tmp_path), sort="val_loss") == 0
    assert len(capsys.readouterr().out.splitlines()) == 41


@pytest.mark.parametrize(("sort", "filter_by"), [("nothing", None), (None, "state:x")])
def test_ls_refuses_what_no_run_has(tmp_path: Path, sort: str | None, filter_by: str | None) -> None:
    """A name that no run has, or a state that is none, is wrong usage that names what there is."""
    make_runs(tmp_path, 2, epochs=2)
    with pytest.raises(UsageError, match=r"val_loss|starting"):
        list_all(str(tmp_path), sort=sort, filter_by=filter_by)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("val_los<0.4", "none has a metric, argument or column 'val_los'"),
        ("val_loss<0.1", "No run fits 'val_loss<0.1'. "),
    ],
)
def test_a_filter_that_leaves_nothing_says_what_it_named_wrongly(written: str, said: str) -> None:
    """A misspelt name is told from a bound that no run reaches."""
    prepared = prepare({entry.name: entry for entry in ENTRIES}, TableState(), 1.8e9)
    rows = empty_rows(prepared, TableState(filter=written), "runs", 200)
    assert said in " ".join(run.text for row in rows for run in row)


def test_names_are_told_apart_where_there_is_no_room() -> None:
    """Of names that do not fit the end is kept, as names that are made differ there; those that fit stay whole."""
    first, second = (end_of(f"demo-question-20261126-17494{number}", 14) for number in range(2))
    assert first != second
    assert len(first) == len(second) == 14
    assert end_of("short", 5) == "short"
