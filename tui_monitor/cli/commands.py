"""The commands and their options; what they do is imported only when they run."""

import os

import click

from tui_monitor.cli.option_types import WholeNumber
from tui_monitor.cli.options import pattern_option, probe_budget_option, probe_seconds_option, runs_option
from tui_monitor.cli.screen_options import screen_options
from tui_monitor.run_log.runs.folders import RUNS_VARIABLE

DEMO_EPOCHS = 30
_EPILOG = """\b
Examples:
  tui-monitor demo                      see the paradox explained
  tui-monitor run train.py --lr 0.01    watch your own script
  tui-monitor attach                    show the newest live run, from any login
  tui-monitor explain RUN               print the explanation as text
  tui-monitor                           all runs: mark two with space, c says why they differ

\b
Exit codes: 0 done; 1 unexpected; 2 wrong usage; 3 no such run; 4 run unreadable;
5 folder not writable; 6 package missing; 7 nothing measured yet; 8 training failed;
130 interrupted.
"""


class _InOrder(click.Group):
    """Lists commands in the order a new user needs them."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names in the order in which they were defined."""
        return list(self.commands)


@click.group(
    cls=_InOrder,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)
@click.version_option(package_name="tui-monitor", prog_name="tui-monitor")
@runs_option
@screen_options
@click.pass_context
def program(context: click.Context, runs: str | None) -> int:
    """Watch Keras training in the terminal, and measure why validation and training metrics differ.

    Without a command, show all runs in a table: sort, filter, compare and open them.
    """
    if context.invoked_subcommand is None:
        from tui_monitor.cli import runs_command

        return runs_command.browse(runs)
    if runs is not None:
        os.environ[RUNS_VARIABLE] = runs
    return 0


@program.command(short_help="Train a small model that shows the paradox, and watch it.")
@click.argument("scenario", required=False)
@click.option("--list", "listing", is_flag=True, help="Describe the scenarios and exit.")
@click.option("--epochs", type=WholeNumber(1), default=DEMO_EPOCHS, show_default=True, help="Epochs to train.")
@click.option("--seed", type=WholeNumber(0), default=1, show_default=True, help="Of data, weights and dropout.")
@click.option("--name", help="Name of the run (default: from scenario and time).")
@runs_option
@probe_budget_option
@probe_seconds_option
@click.option("--headless", is_flag=True, help="No screen: progress lines on standard error.")
@screen_options
def demo(
    scenario: str | None,
    listing: bool,
    epochs: int,
    seed: int,
    name: str | None,
    runs: str | None,
    probe_budget: float,
    probe_seconds: float,
    headless: bool,
) -> int:
    """Train a small LSTM on synthetic imbalanced data that shows the paradox, and watch.

    SCENARIO is one of those that --list describes; by default the question itself.
    """
    from tui_monitor.cli import demo_command

    if listing:
        return demo_command.list_scenarios()
    return demo_command.run_demo(
        scenario,
        epochs=epochs,
        seed=seed,
        name=name,
        runs=runs,
        probe_budget=probe_budget,
        probe_seconds=probe_seconds,
        headless=headless,
    )


@program.command(
    "run",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    short_help="Run your training script unchanged, and watch it.",
)
@click.option("-m", "module", metavar="MODULE", help="Run a module, as `python -m` does.")
@click.option("--name", help="Name of the run (default: from script and time).")
@runs_option
@probe_budget_option
@probe_seconds_option
@click.option("--headless", is_flag=True, help="No screen; the script keeps its own streams.")
@click.argument("target", nargs=-1, type=click.UNPROCESSED)
@screen_options
def run(
    module: str | None,
    name: str | None,
    runs: str | None,
    probe_budget: float,
    probe_seconds: float,
    headless: bool,
    target: tuple[str, ...],
) -> int:
    """Run a training script unchanged, with every fit in it recorded and explained.

    TARGET is a script and its arguments, or with -m the arguments of the module.
    """
    from tui_monitor.cli import run_command

    if module is None and not target:
        raise click.UsageError("Name a script, or a module with -m.")
    name_of, arguments = (module, target) if module is not None else (target[0], target[1:])
    return run_command.run_script(
        name_of,
        arguments,
        is_module=module is not None,
        name=name,
        runs=runs,
        probe_budget=probe_budget,
        probe_seconds=probe_seconds,
        headless=headless,
    )


@program.command(short_help="Watch a run: RUN, or the newest live one.")
@click.argument("run", required=False)
@runs_option
@screen_options
def attach(run: str | None, runs: str | None) -> int:
    """Watch a run: the newest live one, or RUN, a folder or a name."""
    from tui_monitor.cli import watch_command

    return watch_command.attach(run, runs)


@program.command(short_help="Play a saved run back as it went.")
@click.argument("run")
@runs_option
@click.option("--speed", metavar="FACTOR", help="0.25 to 1000, or max (default: the whole run within a minute).")
@click.option("--epoch", type=WholeNumber(0), help="Start at the end of this epoch.")
@click.option("--at", "moment", metavar="TIME", help="Start at a run time, such as 90, 1:30 or 1:02:03, or at 50%.")
@click.option("--paused", is_flag=True, help="Wait for the space bar.")
@screen_options
def replay(run: str, runs: str | None, speed: str | None, epoch: int | None, moment: str | None, paused: bool) -> int:
    """Watch RUN again as it went, under a playback clock: RUN is a folder, a name or an address.

    An address such as s3://bucket/runs/first, gs://… or sftp://… is read through fsspec, as far as it is new.
    """
    from tui_monitor.cli import replay_command

    return replay_command.replay(run, runs, speed=speed, epoch=epoch, moment=moment, paused=paused)


@program.command(short_help="List runs with their state, epochs and metrics.")
@runs_option
@click.option("--all", "every", is_flag=True, help="List every run, however old.")
@click.option(
    "--sort",
    metavar="NAME",
    help="Sort by a column, a metric's best value or an argument; -NAME turns the order round.",
)
@click.option(
    "--filter",
    "filter_by",
    metavar="TEXT",
    help="List the runs that fit, such as 'state:live', 'val_loss<0.4', 'tag:base lr=0.1' or a regular expression.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every run that fits as JSON, one object a line.")
def ls(runs: str | None, every: bool, sort: str | None, filter_by: str | None, as_json: bool) -> int:
    """List the newest runs, and all live ones: state, epoch, best and last values, and what differs between them.

    Of a metric the best value counts, with the epoch it was reached at. What differs are arguments of the script, of
    fit and of the model that are not the same in every listed run of the same script.
    """
    from tui_monitor.cli import list_command

    return list_command.list_all(runs, every=every, sort=sort, filter_by=filter_by, as_json=as_json)


@program.command(short_help="Say which arguments go with better runs.")
@click.argument("filter_by", metavar="[FILTER]", default="")
@runs_option
@click.option("--metric", metavar="NAME", help="Whose best value counts (default: val_loss, or loss without it).")
def sweep(filter_by: str, runs: str | None, metric: str | None) -> int:
    """Rank the runs of each script by their best value, and say which arguments go with a better one.

    Arguments that vary are found by themselves; `tui_monitor.note(lr=0.1)` in a script adds others. Beside each stands
    its rank correlation with the best value, with a 95 % interval. FILTER is one that ls takes.
    """
    from tui_monitor.cli import sweep_command

    return sweep_command.print_sweeps(filter_by, runs, metric)


@program.command(short_help="Say why one run differs from another.")
@click.argument("first")
@click.argument("second")
@runs_option
@click.option(
    "--at",
    "moment",
    type=click.Choice(["last", "best"]),
    default="last",
    show_default=True,
    help="Compare the last epochs, or those with the lowest validation loss.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def compare(first: str, second: str, runs: str | None, moment: str, as_json: bool) -> int:
    """Say why SECOND differs from FIRST: what was different, what came of it, and whether that is more than chance.

    Validation losses and accuracies are compared sample by sample where both runs were validated on the same samples.
    """
    from tui_monitor.cli import compare_command

    return compare_command.compare_runs(first, second, runs, at_best=moment == "best", as_json=as_json)


@program.command(short_help="Print why training and validation metrics of a run differ.")
@click.argument("run")
@runs_option
@click.option("--epoch", type=WholeNumber(1), help="Epoch to explain (default: the last with both sides).")
@click.option("--fit", type=WholeNumber(1), help="Call of fit to explain, from 1 (default: the last).")
@click.option("--all", "every", is_flag=True, help="Explain every measured epoch.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@click.option(
    "--class-shares",
    metavar="S,S...",
    help="Shares of the classes, such as 0.8,0.2, for epochs that were not measured.",
)
def explain(
    run: str,
    runs: str | None,
    epoch: int | None,
    fit: int | None,
    every: bool,
    as_json: bool,
    class_shares: str | None,
) -> int:
    """Explain why training and validation metrics of RUN differ."""
    from tui_monitor.cli import explain_command

    return explain_command.explain(
        run, runs, epoch=epoch, fit=fit, every=every, as_json=as_json, class_shares=class_shares
    )


@program.command(short_help="Stop a training after its batch or epoch.")
@click.argument("run")
@runs_option
@click.option("--after", type=click.Choice(["batch", "epoch"]), default="batch", show_default=True, help="When.")
def stop(run: str, runs: str | None, after: str) -> int:
    """Stop the training of RUN gracefully; its script goes on after fit, so that its own save still runs."""
    from tui_monitor.cli import control_command
    from tui_monitor.run_log.runs.control import Action

    return control_command.request(run, runs, Action.STOP_BATCH if after == "batch" else Action.STOP_EPOCH)


@program.command(short_help="Hold a training between two batches.")
@click.argument("run")
@runs_option
def pause(run: str, runs: str | None) -> int:
    """Hold the training of RUN between two batches."""
    from tui_monitor.cli import control_command
    from tui_monitor.run_log.runs.control import Action

    return control_command.request(run, runs, Action.PAUSE)


@program.command(short_help="Let a paused training go on.")
@click.argument("run")
@runs_option
def resume(run: str, runs: str | None) -> int:
    """Let a paused training go on."""
    from tui_monitor.cli import control_command
    from tui_monitor.run_log.runs.control import Action

    return control_command.request(run, runs, Action.RESUME)


@program.command(short_help="Put a note on a run's timeline.")
@click.argument("run")
@click.argument("text")
@runs_option
def note(run: str, text: str, runs: str | None) -> int:
    """Put a note on the timeline of RUN at this moment."""
    from tui_monitor.cli import control_command
    from tui_monitor.run_log.runs.control import Action

    return control_command.request(run, runs, Action.NOTE, text)


@program.command(name="import", short_help="Make runs of the logs of other tools.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@runs_option
@pattern_option
def import_(paths: tuple[str, ...], runs: str | None, patterns: tuple[str, ...]) -> int:
    """Bring logs of other tools into the runs folder, and print the run folders.

    The format of each PATH is detected from its content: Keras progress text, tables of epochs, History in any form,
    TensorBoard, MLflow, Weights & Biases, Keras Tuner, trackio. A source that has grown since adds what is new. What
    was skipped, repaired or guessed is said on standard error.
    """
    from tui_monitor.cli import import_command

    return import_command.import_paths(paths, runs, patterns)


@program.command(name="open", short_help="Make runs of logs and watch them.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@runs_option
@pattern_option
@screen_options
def open_(paths: tuple[str, ...], runs: str | None, patterns: tuple[str, ...]) -> int:
    """Import PATH... and watch what came of it."""
    from tui_monitor.cli import import_command

    return import_command.open_paths(paths, runs, patterns)


@program.command(name="-", short_help="Watch the training whose text is piped in.")
@runs_option
@click.option("--tee", is_flag=True, help="Pass the text on to standard output.")
@click.option("--headless", is_flag=True, help="No screen: progress lines on standard error.")
@pattern_option
@screen_options
def standard_input(runs: str | None, tee: bool, headless: bool, patterns: tuple[str, ...]) -> int:
    """Watch the training whose text is piped in, as in `python train.py 2>&1 | tui-monitor -`."""
    from tui_monitor.cli import import_command

    return import_command.follow_standard_input(runs, tee=tee, headless=headless, patterns=patterns)


@program.command(short_help="Write a run as tables, pictures or a report.")
@click.argument("run", required=False)
@runs_option
@click.option(
    "--format",
    "form",
    required=True,
    type=click.Choice(["csv", "jsonl", "parquet", "tensorboard", "svg", "text", "report"]),
    help="Tables for programs; svg and text are pictures, report is one file for people.",
)
@click.option(
    "--what",
    type=click.Choice(["epochs", "batches", "runs"]),
    default="epochs",
    show_default=True,
    help="Rows of tables.",
)
@click.option("--chart", metavar="METRIC", help="For svg and text: draw this metric alone, not the dashboard.")
@click.option("--size", metavar="COLSxROWS", default="120x40", show_default=True, help="For svg and text.")
@click.option("-o", "--output", metavar="PATH", help="File, or folder for tensorboard (default: standard output).")
def export(
    run: str | None, runs: str | None, form: str, what: str, chart: str | None, size: str, output: str | None
) -> int:
    """Write the epochs or batches of RUN for other tools, exactly, or its picture or report for people.

    With --what runs it is one row for each run, and RUN a filter as ls takes it.

    A report is HTML with its charts inside, or Markdown where -o ends in .md.
    """
    from tui_monitor.cli import export_command

    return export_command.export(run, runs, form=form, what=what, output=output, chart=chart, size=size)
