"""What a terminal can't show is not sent to it: consoles without braille, and whoever asks for ASCII, get letters."""

import sys
from pathlib import Path

import pytest

from tests.faults.terminal import Terminal

BAR = "9/9 [==============================] - 1s"


@pytest.mark.parametrize(
    ("term", "options", "is_ascii"),
    [("vt100", (), True), ("linux", (), True), ("xterm-256color", ("--ascii",), True), ("screen", (), False)],
)
def test_the_screen_is_made_of_what_the_terminal_has(
    tmp_path: Path, term: str, options: tuple[str, ...], is_ascii: bool
) -> None:
    """Charts, frames and sentences of a replayed log are ASCII on consoles and with `--ascii`, braille elsewhere."""
    log = tmp_path / "train.log"
    epochs = ((1, 0.9, 0.7), (2, 0.8, 0.6), (3, 0.7, 0.5))
    log.write_text("".join(f"Epoch {n}/3\n{BAR} - loss: {a:.4f} - val_loss: {b:.4f}\n" for n, a, b in epochs))
    command = [sys.executable, "-m", "tui_monitor", "open", *options, "--runs", str(tmp_path / "runs"), str(log)]
    with Terminal(command, (80, 24), {"TERM": term, "LC_ALL": "C.UTF-8"}) as terminal:
        terminal.wait_for("Why training and validation differ")
        terminal.wait_for("0.7000")
        assert terminal.text.isascii() == is_ascii
