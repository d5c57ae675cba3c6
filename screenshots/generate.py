"""Makes every picture in this folder from real runs: `python screenshots/generate.py`.

With `--eight FOLDER` it draws eight kinds of training at three sizes into that folder instead.
"""

import contextlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from moments import Moment, animation, moment_after, recording_of
from runs import EIGHT, SCRIPTS, SIZES

from tui_monitor.app.feed.replay_source import ReplaySource
from tui_monitor.app.screenshots.screenshot import save_screenshot, save_table_screenshot
from tui_monitor.history.start import Start

HERE = Path(__file__).resolve().parent
EPOCHS = 6


@dataclass(frozen=True)
class Picture:
    """One picture: of which scenario, at which size, after which keys."""

    name: str
    scenario: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    replayed: float | None = None
    """Part of the run after which a replay stands; None for the run as it ended."""


PICTURES = (
    Picture("dashboard-120x40", "question", (120, 40)),
    Picture("dashboard-80x24", "question", (80, 24)),
    Picture("dashboard-200x60", "question", (200, 60)),
    Picture("dashboard-60x20", "question", (60, 20)),
    Picture("gap-80x24", "question", (80, 24), ("g",)),
    Picture("confusion-100x30", "question", (100, 30), ("3",)),
    Picture("calibration-100x30", "question", (100, 30), ("4",)),
    Picture("losses-100x30", "question", (100, 30), ("5",)),
    Picture("replay-120x40", "question", (120, 40), replayed=0.8),
    Picture("dropout-120x40", "dropout", (120, 40)),
    Picture("healthy-120x40", "healthy", (120, 40)),
)

COMPARED = (2, 4, 6)
"""Epochs of three runs of the demo that differ in nothing else."""
COMPARED_PICTURES = (
    ("runs-120x40", (120, 40), ()),
    ("compare-80x24", (80, 24), ("end", "space", "home", "c")),
    ("compare-120x40", (120, 40), ("end", "space", "home", "c")),
)
"""Name, size, and keys pressed in the table of those runs."""
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
"""Learning rates of the runs of one script."""
RATES_PICTURES = (
    ("overlay-120x40", (120, 40), ("space", "down", "space", "down", "space", "o", "v", "v")),
    ("sweep-80x24", (80, 24), ("h",)),
)
"""The same of those runs: every second one is overlaid."""


def main() -> None:
    """Train each scenario once, headless, then draw its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        for scenario in dict.fromkeys(picture.scenario for picture in PICTURES):
            train(scenario, ("demo", scenario, "--headless", "--epochs", str(EPOCHS)), runs)
        for picture in PICTURES:
            draw(picture, runs / picture.scenario)
        draw_runs(runs)
        animate(runs / "question")


def animate(run: Path) -> None:
    """Write the first minute of a run: its start, its first epoch, and what the end of each epoch changes."""
    recording = recording_of(run)
    ends = recording.markers.epochs
    begun = recording.batch_after(0.0) or 0.0
    within = [begun + (ends[0] - begun) * part for part in (0.2, 0.5, 0.9)]
    positions = [begun / 2, *within, *(end + 0.3 for end in ends)]
    (HERE / "first-minute.svg").write_text(animation(run, positions, (100, 30), 1.2), encoding="utf-8")


def draw_eight(folder: Path) -> None:
    """Train the eight runs headless, and draw each at three sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as runs:
        for shown in EIGHT:
            train(shown.name, shown.command, Path(runs))
            run = Path(runs) / shown.name
            for size in SIZES:
                source = None
                if shown.epochs_shown is not None:
                    recording = recording_of(run)
                    source = Moment(recording.at(moment_after(recording, shown.epochs_shown)))
                path = folder / f"{shown.name}-{size[0]}x{size[1]}.svg"
                save_screenshot(run, size, path, source=source)


def train(name: str, command: tuple[str, ...], runs: Path) -> None:
    """Run a command of `tui-monitor` that trains."""
    first, *rest = command
    subprocess.run([sys.executable, "-m", "tui_monitor", first, "--runs", str(runs), "--name", name, *rest], check=True)


def draw(picture: Picture, run: Path) -> None:
    """Write one picture of a run."""
    start = Start(fraction=picture.replayed, is_playing=False)
    source = ReplaySource(run, start=start) if picture.replayed is not None else None
    save_screenshot(run, picture.size, HERE / f"{picture.name}.svg", keys=picture.keys, source=source)


def draw_runs(runs: Path) -> None:
    """Train runs that differ in one argument, then draw their table and what it opens."""
    compared, rates = (runs / kind / "runs" for kind in ("compared", "rates"))
    for epochs in COMPARED:
        train(f"{epochs}-epochs", ("demo", "averaging", "--headless", "--epochs", str(epochs)), compared)
    for number, rate in enumerate(RATES):
        units = str(16 if number % 2 else 24)
        script = ("run", "--headless", str(SCRIPTS / "rates.py"), "--lr", str(rate), "--units", units)
        train(f"rate-{rate:g}", script, rates)
    for folder, pictures in ((compared, COMPARED_PICTURES), (rates, RATES_PICTURES)):
        # Where a user stands: the table's title names the folder as seen from there.
        with contextlib.chdir(folder.parent):
            for name, size, keys in pictures:
                save_table_screenshot(Path(folder.name), size, HERE / f"{name}.svg", keys=keys)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--eight"]:
        draw_eight(Path(sys.argv[2]))
    else:
        main()
