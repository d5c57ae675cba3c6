"""Nobody else gets in: what is written is its owner's, nothing listens, and nothing in a run folder is executed."""

import ast
import re
import stat
from contextlib import suppress
from pathlib import Path

from tests.faults.training import Training
from tui_monitor.run_log.runs.control import Action, send_request

_SOURCE = Path(__file__).parents[2] / "tui_monitor"


def test_a_run_is_its_owners_alone_and_its_training_listens_nowhere(tmp_path: Path) -> None:
    """No file or folder of a live run is open to others, and its process holds no socket at all."""
    training = Training(tmp_path / "run", seconds_a_batch=0.01)
    training.wait_for(5)
    request = send_request(training.folder, Action.NOTE, "seen")
    for path in (training.folder, *training.folder.rglob("*")):
        with suppress(FileNotFoundError):  # a request goes when it is taken
            assert not stat.S_IMODE(path.lstat().st_mode) & 0o077, path
    inodes = set()
    for link in Path(f"/proc/{training.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            inodes |= set(re.findall(r"^socket:\[(\d+)\]$", str(link.readlink())))
    for table in ("tcp", "tcp6", "udp", "udp6"):
        rows = Path(f"/proc/{training.process.pid}/net/{table}").read_text().splitlines()[1:]
        assert not inodes & {row.split()[9] for row in rows}
    assert request.id
    send_request(training.folder, Action.STOP_BATCH)
    assert training.end()


_NEVER_IMPORTED = {"pickle", "marshal", "shelve", "socketserver", "http"}


def test_nothing_that_is_read_can_be_executed() -> None:
    """No module unpickles, evaluates or listens; a command that a sentence advises is no code of ours."""
    for path in _SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not _is_forbidden(node), (path, ast.unparse(node))


def _is_forbidden(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] in _NEVER_IMPORTED for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in _NEVER_IMPORTED
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    unpickles = any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in node.keywords)
    return unpickles or called in ("eval", "listen")
