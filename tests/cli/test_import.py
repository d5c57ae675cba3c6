"""`import`, `-` and what they leave: sentences on standard error, codes, and output in any encoding."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import environment
from tests.unit.importers.reading import NOW
from tui_monitor.cli.boundary import run_program
from tui_monitor.cli.commands import program
from tui_monitor.importers.importing import import_path

LOGS = Path(__file__).parents[1] / "unit" / "importers" / "logs"
Done = subprocess.CompletedProcess[bytes]
BAR = "60/60 [====] - 3s 9ms/step"


def _run(*arguments: str, text: bytes = b"", variables: dict[str, str] | None = None) -> Done:
    command = [sys.executable, "-m", "tui_monitor", *arguments]
    environ = {**environment(), **(variables or {})}
    return subprocess.run(command, input=text, capture_output=True, check=False, env=environ, start_new_session=True)


def test_what_was_guessed_is_said_once_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A remark is one line on standard error that names the source, and `explain` shows it again."""
    code = run_program(program, ["import", str(LOGS / "begins-in-the-middle.log"), "--runs", str(tmp_path)])
    said = capsys.readouterr()
    assert code == 0
    assert said.err.splitlines() == [
        "begins-in-the-middle.log: No `Epoch` line announces epoch 31: numbered by what stands around it."
    ]
    assert run_program(program, ["explain", said.out.strip()]) == 0
    assert "numbered by what stands around it" in capsys.readouterr().out


def test_one_bad_path_does_not_cost_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Paths after one that is refused are imported; every refusal is said, and the exit code is that of wrong usage."""
    paths = [str(LOGS / name) for name in ("gan.log", "headings-only.md", "capital-epoch.csv")]
    assert run_program(program, ["import", *paths, "--runs", str(tmp_path / "runs")]) == 2
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert said.err.count("Nothing to import in") == 2
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_text_without_an_epoch_is_kept_but_is_no_run(tmp_path: Path) -> None:
    """A pipe without an ended epoch leaves its text in a file beside the runs, a code that is not 0, and no run."""
    text = (LOGS / "gan.log").read_bytes()
    done = _run("-", "--runs", str(tmp_path), text=text)
    assert done.returncode == 2
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == text
    assert str(kept) in done.stderr.decode()


def test_a_pipe_is_read_by_a_pattern(tmp_path: Path) -> None:
    """`--pattern` reads what is piped in as it reads a file."""
    text = b"epoch 1 loss 0.5 val 0.75\nepoch 2 loss 0.25 val 0.5\n"
    pattern = "epoch {epoch} loss {loss:float} val {val_loss:float}"
    done = _run("-", "--pattern", pattern, "--runs", str(tmp_path), text=text)
    assert done.returncode == 0
    assert "epoch 2  loss 0.2500  val_loss 0.5000" in done.stderr.decode()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii", "utf-8"])
def test_output_survives_any_encoding(tmp_path: Path, encoding: str) -> None:
    """`ls`, `explain` and errors replace characters that an encoding lacks, and crash in none; JSON stays JSON."""
    source = tmp_path / "modèle – 训练.log"
    source.write_text(f"Epoch 1/2\n{BAR} - loss: 0.5000 - acc: 0.7500 - val_loss: 0.2500 - val_acc: 0.6250\n")
    (folder,) = import_path(source, tmp_path / "runs", NOW)
    here = {"PYTHONIOENCODING": encoding}
    for arguments in (
        ("ls", "--runs", str(tmp_path / "runs")),
        ("explain", str(folder)),
        ("import", str(source), "--runs", str(tmp_path / "runs")),
    ):
        done = _run(*arguments, variables=here)
        assert b"Traceback" not in done.stderr
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode(encoding)
    assert "0.250 lower" in _run("explain", str(folder), variables=here).stdout.decode(encoding)
    content = json.loads(_run("explain", "--json", str(folder), variables=here).stdout.decode(encoding))
    assert content["run"] == folder.name
    missing = _run("explain", "训练", "--runs", str(tmp_path), variables=here)
    assert missing.returncode == 3
    assert b"Traceback" not in missing.stderr


def _explained(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    source = tmp_path / "train.csv"
    source.write_text(text)
    (folder,) = import_path(source, tmp_path / "runs", NOW)
    assert run_program(program, ["explain", str(folder), *options]) == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("epoch,loss,val_loss\n1,0.5,0.6\n2,0.4,\n", "epoch 1: loss 0.5000, val_loss 0.6000"),
        ("epoch,loss,val_loss\n1,nan,0.6\n", "the training side is NaN (loss)"),
        ("epoch,loss,val_loss\n1,0.5,inf\n", "the validation side is infinite (val_loss)"),
        ("epoch,loss\n1,0.5\n", "No validation metrics"),
        ("epoch,val_loss\n1,0.5\n", "No training metrics, only validation's (val_loss)"),
        ("epoch,my_loss,valued_loss\n1,0.5,0.6\n", "names were not matched: my_loss, valued_loss"),
        ("epoch,train/box_loss,val/box_loss\n1,0.5,0.6\n", "On both sides: box_loss 0.5 against 0.6"),
    ],
)
def test_what_is_missing_is_named(table: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last epoch with both sides is explained; where none has, the sentence says which side is missing and why."""
    assert said in _explained(table, tmp_path, capsys)


def test_sizes_in_the_log_bound_chance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`Train on …, validate on …` tells how far chance alone moves the accuracy gap."""
    text = (
        "Train on 6400 samples, validate on 100 samples\nEpoch 1/1\n"
        "6400/6400 [====] - 3s 9us/sample - loss: 0.5000 - acc: 0.7500 - val_loss: 0.2500 - val_acc: 0.7000\n"
    )
    said = _explained(text, tmp_path, capsys)
    # 1.96 · √(0.75·0.25/6400 + 0.7·0.3/100) = 9.04 points
    assert "With 6 400 training and 100 validation samples" in said
    assert "up to 9.0 points in 95 % of cases: the gap of 5.0 points is within it" in said


def test_fits_and_alerts_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--fit` explains an earlier call of fit, and the text has the run's alerts; one that is not there is refused."""
    text = "epoch,loss,val_loss\n0,0.5,0.6\n1,0.4,0.5\n0,0.9,0.8\n1,nan,0.7\n"
    said = _explained(text, tmp_path, capsys, "--fit", "1")
    assert "epoch 2: loss 0.4000, val_loss 0.5000" in said
    assert "This is fit 1 of 2" in said
    assert "Alert: The training loss is NaN in epoch 2." in said
    (folder,) = (tmp_path / "runs").iterdir()
    assert run_program(program, ["explain", str(folder), "--fit", "3"]) == 2
    assert "the run has 2 calls of fit" in capsys.readouterr().err


def test_names_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    """Validation and test metrics keep their names under any hash seed."""
    read = set()
    for seed in ("0", "1", "2"):
        runs = tmp_path / seed
        done = _run("import", str(LOGS / "mlflow-project"), "--runs", str(runs), variables={"PYTHONHASHSEED": seed})
        (folder,) = done.stdout.decode().split()
        read.add((Path(folder) / "events.jsonl").read_text())
    assert len(read) == 1
