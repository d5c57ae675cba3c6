"""Where a run's code came from: its script, the modules beside it that it imports, and the commit they are of.

Nothing of it is asked of the training: the files are read before it begins, imports are found in their text, and only
`.py` files under the script's own folder are ever kept.
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tui_monitor.run_log.format.replace_file import replace_file
from tui_monitor.run_log.format.strict_json import encode, text

ORIGIN_FILE = "origin.json"
"""In the run folder."""
MOST_FILES = 64
"""Files kept at most."""
MOST_BYTES = 2**20
"""Bytes kept of all of them at most."""

_GIT_SECONDS = 2.0
_MOST_CHANGED = 50
_LARGEST = 2**24


@dataclass(frozen=True)
class Origin:
    """Where a run's code came from."""

    sources: Mapping[str, str] = field(default_factory=dict)
    """Path below the script's folder to the text of that file; the script first."""
    left_out: int = 0
    """Files that it imports and that were not kept: too many or too large."""
    commit: str = ""
    """Of git; empty where the script is under no version control that could be asked."""
    changed: tuple[str, ...] | None = None
    """Tracked files that differed from the commit, the first of them; None where it is not known."""


def record_origin(folder: Path, script: Path, *, asks_git: bool = True) -> None:
    """Keep a script's origin in a run folder, as far as it can be had.

    Args:
        folder: the run folder.
        script: about to be run.
        asks_git: whether to start git, as no process that trains should.

    Raises:
        OSError: the run folder can't be written to.
    """
    origin = find_origin(script, asks_git=asks_git)
    content = {
        "sources": dict(origin.sources),
        "left_out": origin.left_out,
        "commit": origin.commit,
        "changed": None if origin.changed is None else list(origin.changed),
    }
    replace_file(folder / ORIGIN_FILE, encode(content) + b"\n")


def find_origin(script: Path, *, asks_git: bool = True) -> Origin:
    """Return a script's origin; what can't be had is left out."""
    sources, left_out = _sources(script)
    if not asks_git:
        return Origin(sources, left_out)
    commit = _git(script.parent, "rev-parse", "HEAD")
    status = _git(script.parent, "status", "--porcelain", "--untracked-files=no") if commit else None
    changed = None if status is None else tuple(line[3:] for line in status.splitlines()[:_MOST_CHANGED])
    return Origin(sources, left_out, (commit or "").strip(), changed)


def read_origin(folder: Path) -> Origin:
    """Return what a run folder holds of its origin; nothing where there is none or it is damaged."""
    try:
        with (folder / ORIGIN_FILE).open("rb") as file:
            content: Any = json.loads(file.read(_LARGEST))
        changed = content.get("changed")
        return Origin(
            sources={str(name): text(source) for name, source in content.get("sources", {}).items()},
            left_out=int(content.get("left_out", 0)),
            commit=text(content.get("commit")),
            changed=None if changed is None else tuple(map(str, changed)),
        )
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return Origin()


def script_of_target(name: str, *, is_module: bool) -> Path | None:
    """Return the file that `python NAME` or `python -m NAME` runs, where it lies in the present folder or is named."""
    if not is_module:
        path = Path(name)
        return path if path.is_file() else None
    stem = Path(*name.split("."))
    return next((path for path in (stem.with_suffix(".py"), stem / "__main__.py") if path.is_file()), None)


def own_script() -> Path | None:
    """Return the script that this process runs; None in a notebook, or where it is one that was installed."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    path = Path(file).resolve() if isinstance(file, str) else None
    if path is None or path.suffix != ".py" or not path.is_file():
        return None
    return None if path.is_relative_to(sys.prefix) or path.is_relative_to(sys.base_prefix) else path


def _sources(script: Path) -> tuple[dict[str, str], int]:
    """Return the texts of a script and of what it imports from its folder, and how many were left out."""
    root = script.resolve().parent
    todo, seen = [script.resolve()], {script.resolve()}
    sources: dict[str, str] = {}
    room, left_out = MOST_BYTES, 0
    while todo:
        path = todo.pop(0)
        try:
            content = path.read_bytes()
        except OSError:
            continue
        if len(sources) >= MOST_FILES or len(content) > room:
            left_out += 1
            continue
        room -= len(content)
        source = content.decode("utf-8", errors="replace")
        sources[path.relative_to(root).as_posix()] = source
        for found in _imported(source, path, root):
            if found not in seen:
                seen.add(found)
                todo.append(found)
    return sources, left_out


def _imported(source: str, path: Path, root: Path) -> Iterator[Path]:
    """Yield the files below a folder that a source imports."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(root, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = root if not node.level else path.parents[min(node.level, len(path.parents)) - 1]
            stem = node.module or ""
            names = [(base, stem), *((base, f"{stem}.{alias.name}".strip(".")) for alias in node.names)]
        else:
            continue
        for base, name in names:
            yield from _files(base, name, root)


def _files(base: Path, name: str, root: Path) -> Iterator[Path]:
    """Yield the files that importing a dotted name runs: packages on the way, and the module."""
    place = base
    for part in filter(None, name.split(".")):
        place = place / part
        for path in (place.with_name(f"{part}.py"), place / "__init__.py"):
            # Resolved, so that a link out of the folder is not followed.
            if path.is_file() and (resolved := path.resolve()).is_relative_to(root):
                yield resolved


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says in a folder; None where it says nothing in time, or is not there."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_GIT_SECONDS,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return done.stdout if done.returncode == 0 else None
