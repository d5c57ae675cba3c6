"""What the repository promises about itself: imports point down, types and style hold, nothing heavy leaks in."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"}
    )


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
    ],
    ids=" ".join,
)
def test_style_and_types_hold(command: tuple[str, ...]) -> None:
    """The linter and strict type checking have nothing to say."""
    done = _run(sys.executable, "-m", *command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_tests_share_stands_in_no_test_module() -> None:
    """No module imports from a `test_*.py`, scripts in strings included: what tests share has a module of its own."""
    importing = re.compile(r"^\s*(?:from|import) tests[\w.]*\.test_\w+", re.MULTILINE)
    found = {
        str(path.relative_to(ROOT)): importing.findall(path.read_text("utf-8")) for path in ROOT.glob("tests/**/*.py")
    }
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_imports_point_down() -> None:
    """Every import contract of pyproject.toml is kept."""
    done = _run(sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")
    assert done.returncode == 0, done.stdout + done.stderr


_HEAVY = ("numpy", "tensorflow", "keras", "textual", "rich", "plotext", "pandas", "matplotlib", "psutil")


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("tui_monitor", ()),
        ("tui_monitor.cli.commands", ()),
        ("tui_monitor.cli.explain_command", ()),
        ("tui_monitor.cli.list_command", ("rich",)),
        ("tui_monitor.cli.watch_command", ()),
        ("tui_monitor.training.child.process", ("numpy",)),
        ("tui_monitor.app.live_app", ("textual", "rich")),
        ("tui_monitor.app.replay_app", ("textual", "rich")),
    ],
)
def test_nothing_heavy_is_imported(module: str, allowed: tuple[str, ...]) -> None:
    """A fresh interpreter that imports the module holds none of the heavy packages it does not need."""
    code = f"import sys, {module}; print(*[name for name in {_HEAVY!r} if name in sys.modules])"
    done = _run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= set(allowed)


def test_private_names_of_frameworks_stand_in_backends() -> None:
    """No other room reads a private attribute or module of Keras or TensorFlow; `app` reads three of Textual."""
    texts = {path.relative_to(ROOT): path.read_text("utf-8") for path in ROOT.glob("tui_monitor/**/*.py")}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    ours = {name for tree in trees.values() for name in _defined(tree)} | {"_self_tui_monitor"}
    ours |= {"_getframe", "_current_frames"}  # of Python's own `sys`
    outside = {path: tree for path, tree in trees.items() if Path("tui_monitor/training/backends") not in path.parents}
    found = {str(path): _private_names(tree) - ours for path, tree in outside.items()}
    assert {path: names for path, names in found.items() if names} == {
        "tui_monitor/app/screenshots/screenshot.py": {"_compositor"},
        "tui_monitor/app/terminal/cell_diff.py": {"_color_system"},
        "tui_monitor/app/terminal/terminal_app.py": {"_driver"},
    }
    modules = re.compile(r"\b(?:keras\.src|tensorflow\.python|(?:keras|tensorflow)\._(?!api\.v2))")
    assert {str(path): modules.findall(texts[path]) for path in outside if modules.search(texts[path])} == {}


def _private_names(tree: ast.AST) -> set[str]:
    """Return the private attributes that code reads or sets, by `getattr` and its kind too."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("attr"):
            names |= {
                each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
            }
    return {name for name in names if name.startswith("_") and not name.endswith("__")}


def _defined(tree: ast.AST) -> set[str]:
    """Return the names that code gives to functions, classes, variables, fields, and attributes of `self`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                names.add(name)
    return names
