"""What a source is that can't be read, and the nearest thing that can: the sentences of a refusal."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from tui_monitor.importers.text.pattern_log import suggested_pattern
from tui_monitor.run_log.runs.folders import is_run_folder, printable

_PICKLED = (
    "Pickles can run code and are not opened. If you trust it, convert it: "
    "python -c \"import json, pickle; h = pickle.load(open('{name}', 'rb')); "
    "json.dump(getattr(h, 'history', h), open('history.json', 'w'), default=float)\" "
    "and import history.json"
)
_SHOWN = 60
_LINES = 400


def description(path: Path) -> str:
    """Return what a path holds that no format fits, in words that follow "it is"."""
    return _folder(path) if path.is_dir() else _file(path)


def no_epoch(path: Path, kind: str, remarks: Sequence[str]) -> str:
    """Return why a source of a known format gave no run."""
    said = " ".join(remarks[:3])
    found = _foreign(path) if path.is_file() else ""
    near = f"It looks like {found}." if found else ""
    read = f"it was read as {kind}, and no epoch in it has ended."
    return " ".join(filter(None, (f"Nothing to import in {printable(str(path))}: {read}", said, near)))


def _folder(path: Path) -> str:
    names = sorted(entry.name for entry in path.iterdir())
    runs = [name for name in names if is_run_folder(path / name)]
    if runs:
        return f"a folder of runs; watch one with tui-monitor attach {printable(str(path / runs[-1]))}"
    if any(name.endswith((".pkl", ".pickle")) for name in names):
        first = next(name for name in names if name.endswith((".pkl", ".pickle")))
        return f"a folder with a pickle, {printable(first)}. " + _PICKLED.format(name=printable(str(path / first)))
    shown = ", ".join(printable(name) for name in names[:5])
    return f"a folder with {len(names)} entries ({shown})" if names else "an empty folder"


def _file(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(65536)
    if not head:
        return "an empty file"
    name = printable(str(path))
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            return what.format(name=name) if "{name}" in what else what
    if head.startswith(b"PK"):
        return _archive(head)
    if head.startswith(b"\x93NUMPY"):
        pickled = b"'|O'" in head[:256]
        return "an array of Python objects. " + _NUMPY.format(name=name) if pickled else "one NumPy array without names"
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "binary data"
    foreign = _foreign(path)
    text = head.decode("utf-8", errors="replace").strip().splitlines()
    begins = f"text that begins with {printable(text[0][:_SHOWN])!r}" if text else "blank text"
    return f"{begins}, {foreign}" if foreign else begins


_NUMPY = (
    "Those are pickled, can run code and are not opened. If you trust it, convert it: "
    "python -c \"import json, numpy; json.dump(numpy.load('{name}', allow_pickle=True).item(), "
    "open('history.json', 'w'), default=float)\" and import history.json"
)
_MAGIC = {
    b"\x1f\x8b": "gzip-compressed data: unpack it first",
    b"BZh": "bzip2-compressed data: unpack it first",
    b"\xfd7zXZ": "xz-compressed data: unpack it first",
    b"\x28\xb5\x2f\xfd": "zstd-compressed data: unpack it first",
    b"\x89HDF": "an HDF5 file, as Keras keeps weights and models in: those hold no history of a training",
    b"SQLite format 3": "an SQLite database that is no store of trackio; runs of MLflow in one are exported with "
    "`mlflow runs export-csv`",
    b"PAR1": "a Parquet file: write it as CSV first, as with pandas.read_parquet('{name}').to_csv('epochs.csv')",
    b"%PDF": "a PDF",
    b"\x80": "a pickle. " + _PICKLED,
    b"(dp": "a pickle. " + _PICKLED,
    b"ccopy_reg": "a pickle. " + _PICKLED,
}


def _archive(head: bytes) -> str:
    if b"data.pkl" in head or b"/version" in head:
        return (
            "a file of PyTorch's with weights, which are pickled and are not opened: it holds no history of a training"
        )
    if b"metadata.json" in head or b"model.weights.h5" in head:
        return "a model as Keras saves it: it holds no history of a training"
    return "a zip archive: unpack it first"


def _foreign(path: Path) -> str:
    """Return the name of a well-known log that can't be read as it is, with the way to read it, or nothing."""
    with path.open("rb") as file:
        text = file.read(2**18).decode("utf-8", errors="replace")
    lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()][:_LINES]
    for what, is_one in _KINDS:
        line = next(filter(is_one, lines), None)
        if line is None:
            continue
        pattern = suggested_pattern(line, lines)
        how = f"; `--pattern {pattern!r}` can read it" if pattern else "; `--pattern` can read text that is regular"
        return f"{what}{how}"
    return ""


def _matches(pattern: str) -> Callable[[str], bool]:
    return lambda line: re.search(pattern, line, re.IGNORECASE) is not None


_LOOP = "a training loop's own print, as PyTorch programs have"
_KINDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("a progress bar of tqdm, as PyTorch Lightning and others print it", _matches(r"\d+%\|.*\|\s*\d+/\d+ \[.*loss")),
    ("what XGBoost or LightGBM prints", _matches(r"^\[\d+\]\s+\S+[-_:'\s]\S*:\s*[\d.]+")),
    ("a GAN's own print, of two losses", _matches(r"\b[dg](?:en\w*|is\w*)?[ _-]?loss\b.*\b[dg]\w*[ _-]?loss\b")),
    (_LOOP, _matches(r"\b(?:epoch|iter\w*|step)\b.*loss\b\W{0,4}\d")),
    (_LOOP, _matches(r"\b(?:train\w*|val\w*|test)\b.{0,12}loss\b\W{0,4}\d")),
)
