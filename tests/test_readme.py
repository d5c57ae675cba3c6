"""The README says what the program does today."""

import re
from pathlib import Path

import click
import pytest

from tests.unit.explain.planted_checks import PLANTED, healthy
from tui_monitor import errors
from tui_monitor.cli.commands import program
from tui_monitor.explain.evidence.check_results import Check
from tui_monitor.explain.evidence.checks import checks
from tui_monitor.explain.ledger import build as ledger
from tui_monitor.explain.quantiles import QUANTILE_WORTH_A_CAUSE
from tui_monitor.explain.words.checked import checked
from tui_monitor.view.keys.table import keys_as_markdown

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_key_table_is_the_programs() -> None:
    """The table between the key marks is the one the program generates its footer, help and palette from."""
    match = re.search(r"<!-- keys -->\n(.*?)<!-- /keys -->", README, re.DOTALL)
    assert match is not None
    assert match[1] == keys_as_markdown()


@pytest.mark.parametrize("name", sorted(program.commands))
def test_every_command_is_described(name: str) -> None:
    """Each command stands in the README and has a help text."""
    assert re.search(rf"(tui-monitor|, `|`){'' if name == '-' else ' ?'}{re.escape(name)}\b|tui-monitor -`", README)
    command = program.commands[name]
    assert isinstance(command, click.Command)
    assert command.help


def test_every_exit_code_is_described() -> None:
    """Each exit code of the error tree stands in the README's sentence and in `--help`."""
    sentence = README[README.index("Exit codes:") :].split("\n\n")[0]
    codes = {
        entry.exit_code
        for entry in vars(errors).values()
        if isinstance(entry, type) and issubclass(entry, errors.MonitorError)
    }
    for code in codes:
        assert re.search(rf"\b{code} ", sentence)
        assert re.search(rf"\b{code} ", program.epilog or "")


def test_the_thresholds_of_the_verdicts_are_the_programs() -> None:
    """Where the README names the verdicts, it gives the values that decide between them, as they are in the code."""
    sentence = re.sub(r"\s+", " ", README[README.index("A cause is `negligible`") :].split("\n\n")[0])
    for value in (
        f"within {ledger.RULED_OUT_SHARE_OF_GAP:.0%}".replace("%", " %"),
        f"within {ledger.SMALLEST_LOSS_WORTH_NAMING:g} nats",
        f"or {ledger.SMALLEST_ACCURACY_WORTH_NAMING * 100:g} points",
        f"below {QUANTILE_WORTH_A_CAUSE:.2f} standard errors",
    ):
        assert value in sentence


def test_every_picture_exists() -> None:
    """Each picture that is shown is in the repository."""
    for path in re.findall(r"\]\((screenshots/[^)]+\.svg)\)", README):
        assert (Path(__file__).parent.parent / path).is_file(), path


@pytest.mark.parametrize("kind", PLANTED, ids=lambda kind: kind.__name__)
def test_every_check_is_described(kind: type[Check]) -> None:
    """Each finding of a check stands in the README under the name that `explain --json` gives it."""
    raised = next(check for check in checks(*PLANTED[kind](healthy(1))) if isinstance(check, kind))
    assert f"`{checked(raised).cause}`" in README
