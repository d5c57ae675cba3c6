"""What is sent to the terminal: few bytes, and after each of them the terminal shows exactly what it should."""

from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import CompositorUpdate
from textual.screen import Screen
from textual.strip import Strip

from tests.app.driving import arrive, settle
from tests.app.snapshots import ListSource, fit, snapshot
from tui_monitor.app.live_app import LiveApp
from tui_monitor.app.terminal.cell_diff import TerminalMemory
from tui_monitor.app.terminal.pacing import STALLED_SECONDS, FramePacer
from tui_monitor.history.snapshot import Snapshot
from tui_monitor.run_log.format.layout import State


class WatchedApp(LiveApp):
    """Writes to a terminal in memory what it would send to a real one."""

    def __init__(self, source: ListSource, size: tuple[int, int]) -> None:
        super().__init__(Path("run"), source=source)
        self.terminal = pyte.Screen(*size)
        self.stream = pyte.Stream(self.terminal)
        self.sent = 0

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        update = self.difference(renderable)
        if isinstance(update, CompositorUpdate):
            sequence = update.render_segments(Console(color_system="truecolor", force_terminal=True))
            self.sent += len(sequence.encode())
            self.stream.feed(sequence)
        super()._display(screen, None)

    @property
    def intended(self) -> list[str]:
        """What the terminal should show."""
        return ["".join(segment.text for segment in strip) for strip in self.screen._compositor.render_strips()]


@asynccontextmanager
async def watched(*snapshots: Snapshot, size: tuple[int, int] = (120, 40)) -> Any:
    """Run the screen with its terminal in memory."""
    source = ListSource(snapshots)
    app = WatchedApp(source, size)
    async with app.run_test(size=size) as pilot:
        if snapshots:
            await arrive(pilot, snapshots[-1].revision)
        yield app, source, pilot


async def test_the_terminal_shows_exactly_what_was_drawn() -> None:
    """Through frames, views, dialogs, zooms and a resize, not one cell of the terminal is wrong."""
    async with watched(snapshot()) as (app, source, pilot):
        assert app.terminal.display == app.intended
        for revision, key in enumerate(
            ["g", "end", "c", "plus", "l", "o", "question_mark", "escape", "q", "escape", "d"], 2
        ):
            source.add(snapshot(State.TRAINING, fit(batch=100 + 9 * revision), revision=revision))
            await pilot.press(key)
            await arrive(pilot, revision)
            assert app.terminal.display == app.intended, key
        app.terminal.resize(24, 80)
        app.terminal.reset()
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert app.terminal.display == app.intended


async def test_output_with_wide_characters_lands_where_it_should() -> None:
    """Wide and combining characters that come and go leave no halves behind."""
    lines = ("漢字 wide", "plain again", "e\u0301 combining", "漢x字", "x漢字y")
    async with watched(snapshot(output=("start",), output_lines=1)) as (app, source, pilot):
        await pilot.press("o")
        for revision in range(2, 2 + len(lines)):
            source.add(snapshot(output=lines[: revision - 1][-2:], output_lines=revision, revision=revision))
            await arrive(pilot, revision)
            # pyte composes what combines.
            assert app.terminal.display == [normalize("NFC", line) for line in app.intended]


async def test_a_frame_costs_few_bytes() -> None:
    """A new batch's frame sends a tenth of what drawing the screen costs, or less."""
    async with watched(snapshot()) as (app, source, pilot):
        whole, app.sent = app.sent, 0
        frames = 10
        for revision in range(2, 2 + frames):
            source.add(
                snapshot(State.TRAINING, fit(batch=140 + revision), revision=revision, seconds=29 + revision / 10)
            )
            await arrive(pilot, revision)
        assert app.sent / frames < min(whole / 10, 1500)


async def test_a_screen_drawn_anew_is_sent_whole() -> None:
    """After Ctrl-L nothing that the terminal showed is trusted."""
    async with watched(snapshot()) as (app, _, pilot):
        app.terminal.reset()
        await pilot.press("ctrl+l")
        await settle(pilot)
        assert app.terminal.display == app.intended


def strip(text: str, style: str = "") -> Strip:
    """Return a strip of one style."""
    return Strip([Segment(text, Style.parse(style))])


def test_nothing_is_sent_for_what_is_there_already() -> None:
    """Drawing the same again costs nothing; a changed cell costs its place, its look and itself."""
    console = Console(color_system="256", force_terminal=True)
    memory = TerminalMemory()
    assert memory.update([(0, 0, strip("hello world"))], console) == "\x1b[1;1Hhello world"
    assert memory.update([(0, 0, strip("hello world"))], console) == ""
    assert memory.update([(0, 0, strip("hello World"))], console) == "\x1b[1;7HW"
    assert memory.update([(0, 0, strip("hello World", "bold"))], console) == "\x1b[1;1H\x1b[1mhello World\x1b[m"
    memory.forget()
    assert memory.update([(6, 0, strip("World", "bold"))], console) == "\x1b[1;7H\x1b[1mWorld\x1b[m"


@given(
    st.lists(
        st.tuples(st.integers(0, 11), st.integers(0, 3), st.sampled_from("ab●⡇"), st.sampled_from(["", "bold", "red"])),
        max_size=30,
    ),
    st.integers(1, 6),
)
def test_whatever_changes_the_terminal_follows(cells: list[tuple[int, int, str, str]], at_once: int) -> None:
    """Cells that change one by one or many in an update, in any order and style, are all where they belong."""
    console = Console(color_system="256", force_terminal=True)
    memory, terminal = TerminalMemory(), pyte.Screen(14, 4)
    stream = pyte.Stream(terminal)
    rows = [[" "] * 14 for _ in range(4)]
    stream.feed(memory.update([(0, y, strip(" " * 14)) for y in range(4)], console))
    for index in range(0, len(cells), at_once):
        for x, y, character, _ in cells[index : index + at_once]:
            rows[y][x] = character
        styled = [(x, y, strip(rows[y][x], style)) for x, y, _, style in cells[index : index + at_once]]
        stream.feed(memory.update(styled, console))
        assert terminal.display == ["".join(row) for row in rows]
        for x, y, _, style in cells[index : index + at_once][-1:]:
            cell = terminal.buffer[y][x]
            assert (cell.bold, cell.fg) == (style == "bold", "red" if style == "red" else "default")


def test_a_column_of_cells_costs_few_bytes_each() -> None:
    """From one changed cell to the next one below or beside it the cursor moves by the shortest way."""
    console = Console(color_system="256", force_terminal=True)
    memory = TerminalMemory()
    memory.update([(0, y, strip(" " * 20)) for y in range(3)], console)
    assert memory.update([(9, y, strip("⡇", "bold")) for y in range(3)], console) == (
        "\x1b[1;10H\x1b[1m⡇\x1b[B\b⡇\x1b[B\b⡇\x1b[m"
    )
    assert memory.update([(9, y, strip("●")) for y in range(2)], console) == "\x1b[1;10H●\x1b[2;10H●"
    assert memory.update([(19, y, strip("x")) for y in range(2)], console) == "\x1b[1;20Hx\x1b[2;20Hx"


_STYLES = st.builds(
    lambda attributes, colours: " ".join((*attributes, *colours)),
    st.sets(st.sampled_from(["bold", "italic", "underline", "reverse", "strike"])).map(sorted),
    st.sampled_from([(), ("red",), ("color(75)",), ("#aabbcc",), ("on blue",), ("color(75)", "on #102030")]),
)


@given(st.lists(st.tuples(st.sampled_from(["ab", "  ", "⡇ ", " x "]), _STYLES), max_size=12))
def test_a_style_follows_another_by_what_differs(pieces: list[tuple[str, str]]) -> None:
    """Whatever style follows whichever, each cell looks as if it were set alone; a blank is its ground."""
    console = Console(color_system="truecolor", force_terminal=True)
    terminal = pyte.Screen(40, 1)
    pyte.Stream(terminal).feed(
        TerminalMemory().update([(0, 0, Strip([Segment(text, Style.parse(style)) for text, style in pieces]))], console)
    )
    column = 0
    for text, style in pieces:
        for character in text:
            alone = pyte.Screen(2, 1)
            pyte.Stream(alone).feed(Style.parse(style).render(character, color_system=ColorSystem.TRUECOLOR))
            assert _look(terminal.buffer[0][column]) == _look(alone.buffer[0][0])
            column += 1


def _look(cell: Any) -> Any:
    """Return what the eye sees of a cell."""
    is_plain_blank = cell.data == " " and not (cell.underscore or cell.reverse or cell.strikethrough)
    return (cell.data, cell.bg) if is_plain_blank else cell


def test_a_change_of_colour_alone_costs_one_colour() -> None:
    """Neither a ground that stays nor a blank between two marks is said again; bold ends without a reset."""
    console = Console(color_system="256", force_terminal=True)
    mark, curve = Style.parse("bold color(75) on color(233)"), Style.parse("color(75) on color(233)")
    words = Style.parse("color(253) on color(233)")
    row = Strip([Segment("●", mark), Segment(" ", words), Segment("●", mark), Segment("⣀", curve), Segment("x", words)])
    assert TerminalMemory().update([(0, 0, row)], console) == (
        "\x1b[1;1H\x1b[1;38;5;75;48;5;233m● ●\x1b[22m⣀\x1b[38;5;253mx\x1b[m"
    )


def test_no_colour_is_sent_where_none_is_wanted() -> None:
    """Under NO_COLOR dark text is dim, a bright ground reversed, and no colour code is left, greys included."""
    console = Console(color_system="truecolor", force_terminal=True, no_color=True)
    sent = {
        style: TerminalMemory().update([(0, 0, strip("x", style))], console)
        for style in ("white on black", "#404040 on black", "bold black on #40c060")
    }
    codes = {style: text.removeprefix("\x1b[1;1H").removesuffix("\x1b[m") for style, text in sent.items()}
    assert codes == {
        "white on black": "x",
        "#404040 on black": "\x1b[2mx",
        "bold black on #40c060": "\x1b[1;7mx",
    }


def test_a_slow_terminal_gets_fewer_frames_not_a_queue() -> None:
    """Until the terminal has answered no frame follows; from one that never did, only for a second."""
    pacer = FramePacer()
    assert pacer.may_draw(0.0)
    pacer.ask(0.0)
    assert not pacer.may_draw(0.5)
    assert pacer.may_draw(1.0)
    pacer.answer()
    assert pacer.may_draw(1.1)
    pacer.ask(1.1)
    assert not pacer.may_draw(20.0)
    assert pacer.may_draw(1.1 + STALLED_SECONDS)
    pacer.forget()
    assert pacer.may_draw(1.2)


def test_a_terminal_that_never_answers_is_not_waited_for() -> None:
    """After three questions without an answer none is asked any more."""
    pacer = FramePacer()
    for number in range(3):
        assert pacer.wants_question()
        pacer.ask(number)
    assert not pacer.wants_question()
