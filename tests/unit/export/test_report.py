"""A report is one file that holds the run's values and nothing that anybody else wrote into its markup."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from tui_monitor.cli.commands import program
from tui_monitor.errors import UsageError
from tui_monitor.run_log.events.notifications import AlertRaised
from tui_monitor.run_log.events.progress import EpochEnded
from tui_monitor.run_log.format.layout import RunInfo, State
from tui_monitor.run_log.write.writer import RunWriter

HOSTILE = "</pre><script>alert(1)</script>&\"'\x1b[31m|`*\x00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of two epochs whose every text is hostile."""
    run = tmp_path / "run"
    with RunWriter(run, RunInfo(name=HOSTILE, host=HOSTILE, description=HOSTILE), heartbeat_seconds=None) as writer:
        writer.begin_fit(["loss", "accuracy", HOSTILE], epochs=2, steps_per_epoch=4)
        for epoch in (1, 2):
            for _ in range(4):
                writer.batch(epoch, 8, (0.5, 0.75, 1.0))
            logs = {"loss": 0.5, "accuracy": 0.8125, "val_loss": 0.25, "val_accuracy": 0.75, HOSTILE: 1.0}
            writer.event(EpochEnded(epoch=epoch, logs=logs, batches=4, seconds=1.0))
        writer.event(AlertRaised(text=HOSTILE, epoch=2))
        writer.status(State.FINISHED, HOSTILE)
    return run


class Page(HTMLParser):
    """Collects the elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, data: str) -> None:
        """Note its text."""
        self.text += data


def exported(folder: Path, *options: str) -> str:
    """Return what `export` writes to standard output."""
    done = CliRunner().invoke(program, ["export", str(folder), *options], catch_exceptions=False, standalone_mode=False)
    assert done.exit_code == 0
    return done.stdout


def test_the_html_report_holds_values_charts_and_explanation(folder: Path) -> None:
    """Every value, one chart a metric and the whole explanation are in the page; hostile text is only text."""
    html = exported(folder, "--format", "report")
    page = Page()
    page.feed(html)
    assert page.tags & {"script", "link", "img", "iframe", "object", "a", "base"} == set()
    assert not any(name.startswith("on") or name in ("src", "href") for name in page.attributes)
    assert re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", html) is None
    assert html.count("<svg ") == 3
    for svg in re.findall(r"<svg .*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(svg)
    for value in ("0.5000", "0.8125", "0.2500", "0.7500"):
        assert value in page.text
    assert "The explanation, whole" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert "\x1b" not in html
    assert "\x00" not in html


def test_the_markdown_report_holds_the_same(folder: Path, tmp_path: Path) -> None:
    """With a name that ends in .md the report is Markdown: headings, a table of epochs, charts in characters."""
    path = tmp_path / "report.md"
    assert exported(folder, "--format", "report", "-o", str(path)) == ""
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "| epoch | loss | val\\_loss | accuracy | val\\_accuracy |" in text
    assert "| 2 | 0.5000 | 0.2500 | 0.8125 | 0.7500 |" in text
    assert "┤" in text
    outside = re.sub(r"```+text\n.*?\n```+", "", text, flags=re.DOTALL)
    assert "<script" not in outside.replace("\\<", "")


def test_one_chart_is_drawn_alone(folder: Path) -> None:
    """A named metric becomes an SVG or text of its own; a metric the run does not have is told with those it has."""
    svg = exported(folder, "--format", "svg", "--chart", "accuracy")
    assert "accuracy" in "".join(ElementTree.fromstring(svg).itertext())
    text = exported(folder, "--format", "text", "--chart", "loss", "--size", "60x20").split("\n")
    assert len(text) == 21
    assert "loss" in text[0]
    with pytest.raises(UsageError, match="accuracy"):
        exported(folder, "--format", "svg", "--chart", "no-such-metric")
    with pytest.raises(UsageError, match="60x20"):
        exported(folder, "--format", "text", "--size", "6x2")


def test_the_dashboard_is_drawn_without_a_terminal(folder: Path) -> None:
    """The dashboard as text and as SVG has the asked size and shows the run's state."""
    lines = exported(folder, "--format", "text", "--size", "100x30").split("\n")
    assert len(lines) == 31
    assert "FINISHED" in lines[0]
    svg = exported(folder, "--format", "svg", "--size", "80x24")
    assert "FINISHED" in "".join(ElementTree.fromstring(svg).itertext())


def test_tables_are_still_tables(folder: Path) -> None:
    """The formats for programs are untouched by those for people."""
    row = json.loads(exported(folder, "--format", "jsonl").splitlines()[-1])
    assert (row["epoch"], row["accuracy"], row["val_loss"]) == (2, 0.8125, 0.25)
