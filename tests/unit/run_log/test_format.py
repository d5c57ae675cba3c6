"""`run.json` says what it holds, or says why it can't be read."""

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.errors import RunNotFound, RunUnreadable
from tui_monitor.run_log.format.canonical_metrics import canonical_names, canonical_values
from tui_monitor.run_log.format.layout import (
    BASE_COLUMNS,
    FORMAT_VERSION,
    RUN_FILE,
    FitInfo,
    RunInfo,
    WorkerInfo,
    batch_columns,
    run_info_from_json,
    run_info_to_json,
)
from tui_monitor.run_log.format.run_json import RunFile, parse_run_info, read_run_info
from tui_monitor.run_log.format.strict_json import encode, number, restore_numbers

INFO = RunInfo(
    name="run",
    command=("python", "train.py"),
    host="node1",
    pid=7,
    created=1e9,
    versions={"keras": "3.15"},
    description="A demo.",
    fits=(FitInfo(1, batch_columns(["loss", "acc"]), "batches.bin", 5, 0, 100, {"name": "m"}, {"verbose": 0}),),
)
FIT = run_info_to_json(INFO)["phases"][0]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def test_an_identity_survives_its_file() -> None:
    """What is written is what is read."""
    assert run_info_from_json(json.loads(encode(run_info_to_json(INFO)))) == INFO


def test_unknown_and_missing_keys_are_no_error() -> None:
    """A reader opens what a later minor version added to, and what an early one left out."""
    content = {**run_info_to_json(INFO), "colour": "red"}
    content["phases"] = [{**FIT, "mood": "good"}]
    assert run_info_from_json(content) == INFO
    assert run_info_from_json({"format": 1, "name": "old"}) == RunInfo(name="old")


def test_a_newer_format_is_refused_with_the_remedy() -> None:
    """Values are never misread in silence: the sentence says to upgrade."""
    with pytest.raises(RunUnreadable, match=r"newer version \(format 2.*Upgrade"):
        run_info_from_json({"format": FORMAT_VERSION + 1})


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"format": "1"},
        {"format": True},
        {"format": 0},
        {"format": 1, "phases": 3},
        {"format": 1, "phases": [3]},
        {"format": 1, "phases": [{**FIT, "index": 2}]},
        {"format": 1, "phases": [{**FIT, "batches": "../../etc/passwd"}]},
        {"format": 1, "phases": [{**FIT, "columns": [["loss", "<f4"]]}]},
        {"format": 1, "phases": [{**FIT, "columns": [*FIT["columns"], ["loss", "<f4"]]}]},
        {"format": 1, "phases": [{**FIT, "columns": [*FIT["columns"], ["x", "O"]]}]},
        {"format": 1, "created": "soon"},
        {"format": 1, "pid": 1e400},
    ],
)
def test_damage_is_refused_in_a_sentence(content: Any) -> None:
    """Content that can't be an identity raises `RunUnreadable`, nothing else."""
    with pytest.raises(RunUnreadable, match=r"run.json is damaged: .*\."):
        run_info_from_json(content)


@given(content=JSON, key=st.sampled_from(["name", "pid", "created", "versions", "command", "phases", "columns"]))
def test_any_json_is_read_or_refused(content: Any, key: str) -> None:
    """No damage ends in another exception."""
    candidates: list[Any] = [content, {"format": 1, key: content}, {"format": 1, "phases": [{**FIT, key: content}]}]
    for candidate in candidates:
        try:
            assert isinstance(run_info_from_json(candidate), RunInfo)
        except RunUnreadable:
            continue


@given(content=st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Garbage in `run.json` is named as such."""
    with pytest.raises(RunUnreadable):
        parse_run_info(content)


def test_a_folder_without_identity_is_not_found(tmp_path: Path) -> None:
    """An empty folder is no run."""
    with pytest.raises(RunNotFound, match=r"holds no run\.json"):
        read_run_info(tmp_path)


@given(metrics=st.lists(st.text(max_size=8) | st.sampled_from(["time", "epoch", "size", "loss"]), max_size=8))
def test_every_metric_gets_a_column_of_its_own(metrics: list[str]) -> None:
    """Empty, repeated and reserved names still make a record NumPy accepts, in the given order."""
    columns = batch_columns(metrics)
    assert columns[:3] == BASE_COLUMNS
    assert len(columns) == 3 + len(metrics)
    fit = FitInfo(1, columns, "batches.bin")
    assert fit.dtype.names == tuple(name for name, _ in columns)
    assert fit.dtype.itemsize == 16 + 4 * len(metrics)
    info = RunInfo(name="run", fits=(fit,))
    assert run_info_from_json(json.loads(encode(run_info_to_json(info)))) == info


@given(models=st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=4), worker=st.booleans())
def test_a_file_written_fit_by_fit_is_that_written_at_once(models: list[dict[str, Any]], worker: bool) -> None:
    """Each fit's part is encoded once, whatever its model's summary holds, and the file is the same in every byte."""
    fits = tuple(
        FitInfo(index, batch_columns(["loss"]), f"batches-{index}.bin", model=model, fit={"x": 1.5})
        for index, model in enumerate(models, 1)
    )
    info = RunInfo(name="run", fits=fits, worker=WorkerInfo(0, 2) if worker else None)
    with tempfile.TemporaryDirectory() as folder:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            file = RunFile()
            for count in range(len(fits) + 1):
                file.write(descriptor, replace(info, fits=fits[:count]))
        finally:
            os.close(descriptor)
        assert (Path(folder) / RUN_FILE).read_bytes() == encode(run_info_to_json(info)) + b"\n"


@given(content=st.dictionaries(st.text(), JSON, max_size=4))
def test_strict_parsers_accept_every_line(content: dict[str, Any]) -> None:
    """NaN and infinities become strings, and the line stays one line of UTF-8."""
    line = encode(content)
    assert b"\n" not in line

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(line.decode("utf-8"), parse_constant=refuse)


def test_what_json_has_no_type_for_is_kept_as_text_or_numbers() -> None:
    """NumPy values become numbers, paths and objects text; even what can't be printed is no error."""

    class Rude:
        def __str__(self) -> str:
            raise RuntimeError

    loop: list[Any] = []
    loop.append(loop)
    content = {
        "a": np.float32(0.5),
        "b": np.arange(2),
        "c": Path("x"),
        "d": Rude(),
        3: {"e": {1}},
        "f": np.float64("nan"),
    }
    decoded = json.loads(encode(content))  # type: ignore[arg-type]
    assert decoded == {"a": 0.5, "b": [0, 1], "c": "x", "d": "<Rude>", "3": {"e": [1]}, "f": "NaN"}
    assert encode({"loop": loop})


def test_loose_numbers_come_back() -> None:
    """The strings for NaN and infinity are read as the floats they were; other text is not."""
    assert number("-Infinity") == float("-inf")
    assert number("1.5") is None
    assert number(True) is None
    assert number(10**400) == float("inf")
    assert restore_numbers({"a": ["Infinity", "x"], "labels": ["NaN"]}) == {"a": [float("inf"), "x"], "labels": ["NaN"]}


def test_each_metric_has_one_canonical_name() -> None:
    """`acc` is `accuracy` unless another value is spelt so already."""
    assert canonical_names(["acc", "val_acc"]) == {"acc": "accuracy", "val_acc": "val_accuracy"}
    assert canonical_names(["acc", "accuracy"]) == {"acc": "acc", "accuracy": "accuracy"}
    assert canonical_names(["acc", "binary_accuracy"]) == {"acc": "accuracy", "binary_accuracy": "binary_accuracy"}
    assert canonical_values({"loss": "Infinity", "x": None}) == {"loss": float("inf")}
    assert canonical_values(3) == {}
