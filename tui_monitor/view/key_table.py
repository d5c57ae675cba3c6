"""The one table of keys: footer, help page, command palette and README are all made from it."""

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """Headings under which help lists the keys."""

    VIEWS = "Views"
    EVIDENCE = "Evidence"
    CHARTS = "Charts"
    REPLAY = "Replay"
    RUN = "Run"
    TABLE = "Table of runs"
    OVERLAY = "Runs on one chart"
    PROGRAM = "Program"


OF_A_RUN = tuple(group for group in Group if group not in (Group.TABLE, Group.OVERLAY))
"""Groups whose keys the screen of one run has."""
OF_THE_TABLE = (Group.TABLE, Group.PROGRAM)
"""Groups whose keys the table of runs has."""
OF_THE_OVERLAY = (Group.OVERLAY,)
"""Groups whose keys the chart of several runs has."""


@dataclass(frozen=True)
class Key:
    """One key and all that is said about it."""

    keys: str
    """Textual's key names, comma-separated."""
    shown: str
    """How the key is written for people."""
    label: str
    """One or two words, for the footer."""
    help: str
    """A sentence, for help, palette and README."""
    action: str
    """Textual action of the app."""
    group: Group
    in_footer: bool = True


KEYS: tuple[Key, ...] = (
    Key("space", "space", "play", "Play or pause a replay.", "replay('toggle')", Group.REPLAY),
    Key("comma", ",", "batch back", "Show one batch less.", "replay('batch_back')", Group.REPLAY, in_footer=False),
    Key("full_stop", ".", "batch on", "Show one batch more.", "replay('batch_on')", Group.REPLAY, in_footer=False),
    Key(
        "less_than_sign",
        "<",
        "epoch back",
        "Go to the end of the epoch before.",
        "replay('epoch_back')",
        Group.REPLAY,
        in_footer=False,
    ),
    Key(
        "greater_than_sign",
        ">",
        "epoch on",
        "Go to the end of the next epoch.",
        "replay('epoch_on')",
        Group.REPLAY,
    ),
    Key(
        "left_parenthesis",
        "(",
        "event back",
        "Go to the alert, note or explanation before.",
        "replay('event_back')",
        Group.REPLAY,
        in_footer=False,
    ),
    Key(
        "right_parenthesis",
        ")",
        "event on",
        "Go to the next alert, note or explanation.",
        "replay('event_on')",
        Group.REPLAY,
        in_footer=False,
    ),
    Key("left_curly_bracket", "{", "slower", "Replay slower.", "replay('slower')", Group.REPLAY, in_footer=False),
    Key(
        "right_curly_bracket",
        "}",
        "faster",
        "Replay faster, up to as fast as the run can be read.",
        "replay('faster')",
        Group.REPLAY,
    ),
    Key("home", "Home", "start", "Go to the start of the run.", "replay('start')", Group.REPLAY, in_footer=False),
    Key(
        "end",
        "End",
        "end",
        "Go to the newest record; a live run is then followed.",
        "replay('end')",
        Group.REPLAY,
        in_footer=False,
    ),
    Key("j", "j", "go to epoch", "Go to the end of an epoch by its number.", "replay('jump')", Group.REPLAY),
    Key(
        "d,escape",
        "d",
        "overview",
        "Show the overview: charts, gap, epochs and output.",
        "show('overview')",
        Group.VIEWS,
    ),
    Key(
        "g", "g", "gap", "Show the whole explanation of the gap, with findings and advice.", "show('gap')", Group.VIEWS
    ),
    Key("c", "c", "charts", "Show the charts over the whole screen.", "show('charts')", Group.VIEWS),
    Key("t", "t", "epochs", "Show every epoch in a table.", "show('epochs')", Group.VIEWS, in_footer=False),
    Key("o", "o", "output", "Show the script's own output.", "show('output')", Group.VIEWS),
    Key(
        "i",
        "i",
        "timeline",
        "Show alerts, notes, requests and states in order.",
        "show('timeline')",
        Group.VIEWS,
        in_footer=False,
    ),
    Key(
        "w",
        "w",
        "workers",
        "Show each worker of a training on several: its pace, its heartbeat, and who holds up whom.",
        "show('workers')",
        Group.VIEWS,
        in_footer=False,
    ),
    Key(
        "h",
        "h",
        "next head",
        "Explain the next of several outputs (heads), and after the last the whole loss.",
        "next_output",
        Group.VIEWS,
    ),
    Key("1", "1", "ledger", "Show the ledgers, as g does.", "show('gap')", Group.EVIDENCE, in_footer=False),
    Key(
        "2",
        "2",
        "recall",
        "Show recall and precision of each class over epochs, on both sides.",
        "show('recall')",
        Group.EVIDENCE,
    ),
    Key("3", "3", "confusion", "Show which class is taken for which.", "show('confusion')", Group.EVIDENCE),
    Key(
        "4",
        "4",
        "calibration",
        "Show whether the model is right as often as it is sure.",
        "show('calibration')",
        Group.EVIDENCE,
    ),
    Key(
        "5",
        "5",
        "losses",
        "Show how the loss is spread over right and wrong samples, and its tail.",
        "show('losses')",
        Group.EVIDENCE,
    ),
    Key("6", "6", "shares", "Show class shares with their test.", "show('shares')", Group.EVIDENCE),
    Key("plus,equals_sign", "+", "zoom in", "Look closer at the x axis.", "zoom(0.5)", Group.CHARTS, in_footer=False),
    Key("minus", "-", "zoom out", "Look at more of the x axis.", "zoom(2.0)", Group.CHARTS, in_footer=False),
    Key(
        "left",
        "←",
        "pan left",
        "Move the zoomed window to earlier epochs.",
        "pan(-0.25)",
        Group.CHARTS,
        in_footer=False,
    ),
    Key(
        "right", "→", "pan right", "Move the zoomed window to later epochs.", "pan(0.25)", Group.CHARTS, in_footer=False
    ),
    Key("0", "0", "whole axis", "Show the whole x axis again.", "whole_axis", Group.CHARTS, in_footer=False),
    Key(
        "s",
        "s",
        "smooth",
        "Step through the smoothing of the mean line: light, strong, none.",
        "smooth",
        Group.CHARTS,
        in_footer=False,
    ),
    Key(
        "l",
        "l",
        "log y",
        "Switch the y axes between linear and logarithmic.",
        "toggle_log",
        Group.CHARTS,
        in_footer=False,
    ),
    Key(
        "f",
        "f",
        "one curve",
        "Show successive fits of one model as one curve, or each alone.",
        "join_fits",
        Group.CHARTS,
        in_footer=False,
    ),
    Key(
        "y",
        "y",
        "extremes",
        "Switch the charts between what is compared, with the middle 80 % of batches, and all extremes.",
        "toggle_extremes",
        Group.CHARTS,
        in_footer=False,
    ),
    Key(
        "m",
        "m",
        "metric",
        "Show the next metric in the second chart, or in a chart that is alone.",
        "next_metric",
        Group.CHARTS,
    ),
    Key(
        "p",
        "p",
        "pause",
        "Pause the training between two batches, or let it go on.",
        "control('toggle_pause')",
        Group.RUN,
    ),
    Key(
        "x",
        "x",
        "stop",
        "Stop after this batch; the script goes on after fit.",
        "control('stop_batch')",
        Group.RUN,
    ),
    Key(
        "e",
        "e",
        "stop at epoch",
        "Stop after this epoch; the script goes on after fit.",
        "control('stop_epoch')",
        Group.RUN,
        in_footer=False,
    ),
    Key(
        "k", "k", "kill", "Kill the training process, after a question.", "control('kill')", Group.RUN, in_footer=False
    ),
    Key("r", "r", "learning rate", "Change the learning rate.", "control('learning_rate')", Group.RUN),
    Key("u", "u", "measure", "Measure the gap at this batch.", "control('measure')", Group.RUN, in_footer=False),
    Key("n", "n", "note", "Add a note to the timeline at this batch.", "control('note')", Group.RUN, in_footer=False),
    Key(
        "left_square_bracket",
        "[",
        "fit back",
        "Show the previous call of fit.",
        "fit(-1)",
        Group.RUN,
        in_footer=False,
    ),
    Key("right_square_bracket", "]", "fit on", "Show the next call of fit.", "fit(1)", Group.RUN, in_footer=False),
    Key("enter", "Enter", "open", "Open the run under the cursor; Escape comes back.", "table('open')", Group.TABLE),
    Key("space", "space", "mark", "Mark the run, or take its mark away.", "table('mark')", Group.TABLE),
    Key(
        "c",
        "c",
        "compare",
        "Say why the second marked run differs from the first, or the run under the cursor from the one marked.",
        "table('compare')",
        Group.TABLE,
    ),
    Key(
        "o",
        "o",
        "overlay",
        "Draw the marked runs, 2 to 8, on one chart.",
        "table('overlay')",
        Group.TABLE,
    ),
    Key(
        "slash",
        "/",
        "filter",
        "Filter as you type: text, state:live, val_loss<0.4, lr=0.1, tag:base, a regular expression.",
        "table('filter')",
        Group.TABLE,
    ),
    Key(
        "b",
        "b",
        "baseline",
        "Pin the run as baseline, drawn dim on every run that is opened, or unpin it.",
        "table('baseline')",
        Group.TABLE,
    ),
    Key("s", "s", "sort", "Sort by the next column.", "table('sort')", Group.TABLE),
    Key("S,upper_s", "S", "reverse", "Turn the order round.", "table('reverse')", Group.TABLE, in_footer=False),
    Key("m", "m", "metric", "Show the best value of the next metric.", "table('metric')", Group.TABLE),
    Key("v", "v", "columns", "Choose the columns that are shown.", "table('columns')", Group.TABLE),
    Key("t", "t", "tag", "Change the run's tags.", "table('tag')", Group.TABLE),
    Key("n", "n", "rename", "Give the run another name, once it has ended.", "table('rename')", Group.TABLE),
    Key(
        "x,delete",
        "x",
        "delete",
        "Delete the run, after a question; never one that is still going.",
        "table('delete')",
        Group.TABLE,
    ),
    Key("u", "u", "undo", "Bring back the run that was deleted last in this session.", "table('undo')", Group.TABLE),
    Key("r", "r", "replay", "Replay the run under the cursor.", "table('replay')", Group.TABLE),
    Key(
        "escape",
        "Escape",
        "clear",
        "Clear the filter, then the marks.",
        "table('clear')",
        Group.TABLE,
        in_footer=False,
    ),
    Key("up,k", "↑", "up", "Go to the run above.", "move(-1)", Group.TABLE, in_footer=False),
    Key("down,j", "↓", "down", "Go to the run below.", "move(1)", Group.TABLE, in_footer=False),
    Key("pageup", "PgUp", "page up", "Go up by a window of runs.", "move_page(-1)", Group.TABLE, in_footer=False),
    Key("pagedown", "PgDn", "page down", "Go down by a window of runs.", "move_page(1)", Group.TABLE, in_footer=False),
    Key("home,g", "Home", "first", "Go to the first run.", "move_end(-1)", Group.TABLE, in_footer=False),
    Key("end,G", "End", "last", "Go to the last run.", "move_end(1)", Group.TABLE, in_footer=False),
    Key("escape,q,b", "Escape", "table", "Go back to the table of runs.", "overlay('back')", Group.OVERLAY),
    Key(
        "1",
        "1",
        "hide or show 1–8",
        "Hide run 1, or show it again.",
        "overlay_toggle(1)",
        Group.OVERLAY,
        in_footer=True,
    ),
    Key(
        "2",
        "2",
        "run 2",
        "Hide run 2, or show it again.",
        "overlay_toggle(2)",
        Group.OVERLAY,
        in_footer=False,
    ),
    Key(
        "3",
        "3",
        "run 3",
        "Hide run 3, or show it again.",
        "overlay_toggle(3)",
        Group.OVERLAY,
        in_footer=False,
    ),
    Key(
        "4",
        "4",
        "run 4",
        "Hide run 4, or show it again.",
        "overlay_toggle(4)",
        Group.OVERLAY,
        in_footer=False,
    ),
    Key(
        "5",
        "5",
        "run 5",
        "Hide run 5, or show it again.",
        "overlay_toggle(5)",
        Group.OVERLAY,
        in_footer=False,
    ),
    Key(
        "6",
        "6",
        "run 6",
        "Hide run 6, or show it again.",
        "overlay_toggle(6)",
        Group.OVERLAY,
        in_footer=False,
    ),
    Key(
        "7",
        "7",
        "run 7",
        "Hide run 7, or show it again.",
        "overlay_toggle(7)",
        Group.OVERLAY,
        in_footer=False,
    ),
    Key(
        "8",
        "8",
        "run 8",
        "Hide run 8, or show it again.",
        "overlay_toggle(8)",
        Group.OVERLAY,
        in_footer=False,
    ),
    Key("m", "m", "metric", "Show the next metric of the runs.", "overlay('metric')", Group.OVERLAY),
    Key("v", "v", "side", "Show validation, training, or both.", "overlay('side')", Group.OVERLAY),
    Key("x", "x", "x axis", "Draw over epochs, batches, samples seen or minutes.", "overlay('axis')", Group.OVERLAY),
    Key("s", "s", "smooth", "Step through the smoothing of the curves.", "overlay('smooth')", Group.OVERLAY),
    Key("l", "l", "log y", "Switch the runs' y axis between linear and logarithmic.", "overlay('log')", Group.OVERLAY),
    Key("plus,equals_sign", "+", "zoom in", "Look closer at the runs' x axis.", "overlay_zoom(0.5)", Group.OVERLAY),
    Key(
        "minus",
        "-",
        "zoom out",
        "Look at more of the runs' x axis.",
        "overlay_zoom(2.0)",
        Group.OVERLAY,
        in_footer=False,
    ),
    Key(
        "left",
        "←",
        "pan left",
        "Move the zoomed window to the left.",
        "overlay_pan(-0.25)",
        Group.OVERLAY,
        in_footer=False,
    ),
    Key(
        "right",
        "→",
        "pan right",
        "Move the zoomed window to the right.",
        "overlay_pan(0.25)",
        Group.OVERLAY,
        in_footer=False,
    ),
    Key(
        "0",
        "0",
        "whole axis",
        "Show the runs' whole x axis again.",
        "overlay('whole')",
        Group.OVERLAY,
        in_footer=False,
    ),
    Key("question_mark,f1", "?", "help", "Show this list of keys.", "help", Group.PROGRAM),
    Key(
        "escape,b",
        "b",
        "back to runs",
        "Go back to the table of runs that the run was opened from; in the overview, Escape does, too.",
        "back_to_runs",
        Group.RUN,
    ),
    Key("q", "q", "quit", "Leave the screen; a live run asks whether to let it train on.", "leave", Group.PROGRAM),
    Key("ctrl+c", "Ctrl-C", "stop", "Ask how to stop the run.", "interrupt", Group.PROGRAM, in_footer=False),
    Key(
        "ctrl+z",
        "Ctrl-Z",
        "suspend",
        "Put the screen in the background; training goes on.",
        "suspend_process",
        Group.PROGRAM,
        in_footer=False,
    ),
    Key("ctrl+l", "Ctrl-L", "redraw", "Draw the whole screen again.", "redraw", Group.PROGRAM, in_footer=False),
    Key("ctrl+p", "Ctrl-P", "commands", "Find a command by name.", "command_palette", Group.PROGRAM, in_footer=False),
)


def keys_as_markdown() -> str:
    """Return the table as Markdown, for the README."""
    lines = ["| key | what it does |", "|---|---|"]
    for group in Group:
        lines.append(f"| **{group.value}** | |")
        lines += [f"| `{key.shown}` | {key.help} |" for key in KEYS if key.group is group]
    return "\n".join(lines) + "\n"
