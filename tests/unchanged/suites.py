"""Test files of a framework: found where the user says, and brought into a form that runs beside the installed one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = re.compile(r"^(\s*from )tf_keras(?!\.(?:src|api|protobuf)\b)(?=[. ])", re.MULTILINE)
_MODULE = re.compile(r"\bkeras\.utils\.(?=\w+_utils\b)")
_SETTINGS = """\
[pytest]
addopts = -q -p no:cacheprovider -p no:xdist -p no:asyncio -p no:hypothesispytest -p tests.unchanged.plugin
filterwarnings =
    error
    ignore::DeprecationWarning
    ignore::ImportWarning
    ignore::RuntimeWarning
    ignore::PendingDeprecationWarning
    ignore::FutureWarning
    ignore::UserWarning
    ignore::ResourceWarning
    ignore::pytest.PytestWarning
"""
"""As Keras' own settings: any other warning fails a test."""


@dataclass(frozen=True)
class TestFile:
    """One file of a suite."""

    __test__ = False

    path: Path
    """Where it was found."""
    name: str
    """The same from the named folder on, to tell it by."""


def test_files(named: Iterable[Path]) -> list[TestFile]:
    """Return the test files that are named or lie in a named folder, in order.

    Raises:
        FileNotFoundError: what is named is not there, or holds no test file.
    """
    found: list[TestFile] = []
    for path in named:
        inside = sorted(path.rglob("*_test.py")) if path.is_dir() else [path]
        if not inside or not path.exists():
            raise FileNotFoundError(f"{path} is no test file and holds none (*_test.py).")
        top = path.parent if path.is_dir() else path.parent.parent
        found += [TestFile(file, str(file.relative_to(top))) for file in inside]
    return found


def bring(file: TestFile, folder: Path) -> Path:
    """Write a test file and the settings of its run into a folder of its own, and return its path there.

    A checkout of `tf_keras` has its own modules at the top; installed they lie in `tf_keras.src`, so that imports are
    led there as its build leads them, and so are modules that are named without an import.

    Args:
        file: of a suite.
        folder: empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pytest.ini").write_text(_SETTINGS)
    brought = folder / file.path.name
    text = file.path.read_text(encoding="utf-8")
    if "import tf_keras as keras" in text:
        text = _MODULE.sub("keras.src.utils.", text)
    brought.write_text(_PACKAGE.sub(r"\1tf_keras.src", text), encoding="utf-8")
    return brought
