"""Logs in layouts like the handed ones, with made-up figures and what each holds: neighbours of every kind of case."""

import csv
import io
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Epoch = tuple[int, dict[str, float]]
Fits = list[list[Epoch]]
KERAS = ("loss", "acc", "val_loss", "val_acc")
PLAIN = ("loss", "acc")
EQ = "[==============================]"
HEAVY = "━" * 20


@dataclass(frozen=True)
class Layout:
    """One log, and the fits in it."""

    files: Mapping[str, bytes]
    """Path below a folder to content; a single file is the source itself."""
    fits: Fits
    says: str = ""
    """What is to be said of it; nothing in particular where it is empty."""
    kind: str = field(default="", compare=False)


def made_up(count: int, names: Sequence[str] = KERAS, *, first: int = 1, seed: int = 0, places: int = 4) -> list[Epoch]:
    """Return epochs with figures that occur once each."""
    draw = random.Random(f"{count} {names} {first} {seed}")
    return [
        (first + index, {name: round(draw.uniform(0.1001, 0.9989), places) for name in names}) for index in range(count)
    ]


def printed(logs: Mapping[str, float], dash: str = " - ") -> str:
    """Return figures as Keras prints them."""
    return dash.join(f"{name}: {value:.4f}" for name, value in logs.items())


def canonical(fits: Fits) -> Fits:
    """Return fits with the names that a run shows."""
    spelt = {"acc": "accuracy", "val_acc": "val_accuracy"}
    return [[(epoch, {spelt.get(name, name): value for name, value in logs.items()}) for epoch, logs in f] for f in fits]


def text(content: str, fits: Fits, says: str = "", name: str = "train.log") -> Layout:
    """Return a log of one file of text."""
    return Layout({name: content.encode()}, canonical(fits), says)


def keras2(epochs: Sequence[Epoch], of: int | None = None, *, line: str = "{of}/{of} " + EQ + " - 3s 9ms/step - {told}",
           count: int = 60, header: str = "Epoch {n}/{of}\n", end: str = "\n") -> str:
    """Return progress text of Keras 2: a header and a finished bar for each epoch."""
    planned = of or epochs[-1][0]
    return "".join(
        header.format(n=n, of=planned) + line.format(of=count, n=n, told=printed(logs)) + end for n, logs in epochs
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]], *, delimiter: str = ",", end: str = "\n") -> str:
    """Return a table as the `csv` module writes it."""
    held = io.StringIO()
    writer = csv.writer(held, delimiter=delimiter, lineterminator=end)
    writer.writerow(header)
    writer.writerows(rows)
    return held.getvalue()


def _verbose_2() -> Iterator[Layout]:
    a, b = made_up(3), made_up(2, PLAIN, seed=1)
    yield text(keras2(a, line="{n}s - {told}"), [a])
    yield text(keras2(a, line=" - 12s - {told}"), [a])
    yield text("Using TensorFlow backend.\n" + keras2(b, line="0s - {told}"), [b])
    yield text(keras2(a, line="    61s - {told}", header="    Epoch {n}/{of}\n"), [a])
    yield text("\n".join(f"{place:>3}: {line}" for place, line in enumerate(keras2(a, line="7s - {told}").split("\n"))), [a])


def _several_fits() -> Iterator[Layout]:
    a, b, c = made_up(2), made_up(3, seed=1), made_up(2, seed=2)
    bare = "Train on 90 samples, validate on 10 samples\n"
    yield text(f"fold 0\n{bare}{keras2(a)}fold 1\n{bare}{keras2(b)}", [a, b])
    yield text(f"{bare}{keras2(a)}{bare}{keras2(c)}", [a, c])
    yield text(keras2(a) + keras2(b, of=5) + keras2(c), [a, b, c])
    more = made_up(2, first=3, seed=3)
    yield text(f"{bare}{keras2(a, of=4)}{bare}{keras2(more, of=4)}", [a, more])


def _still_says_eta() -> Iterator[Layout]:
    a, b = made_up(3), made_up(3, PLAIN, seed=1)
    bar = "{of}/{of} " + EQ + " - ETA: 0s - {told}"
    yield text(keras2(a, line=bar, count=25000), [a])
    yield text(keras2(a, line=bar.replace("0s", "0:00")), [a])
    yield text(keras2(b, of=9, line=bar) + "Epoch 4/9\n 3/60 [>....] - ETA: 9s - loss: 0.5\n", [b], "does not end")
    yield text(keras2(a, line="\r 12/{of} [==>...] - ETA: 1s - loss: 0.7777\r" + bar), [a])


def _colours() -> Iterator[Layout]:
    a = made_up(3, ("accuracy", "loss", "val_accuracy", "val_loss"))
    for begin, indent in (("[", ""), ("\\x1b[", "  "), ("\u241b[", ""), ("\\u001b[", "\t"), ("^[[", ""), ("\x1b[", "    ")):
        bar = f"{indent}{begin}1m{{of}}/{{of}}{begin}0m {begin}32m{HEAVY}{begin}0m{begin}37m{begin}0m {begin}1m4s{begin}0m 11ms/step - {{told}}"
        yield text(keras2(a, line=bar, header=indent + "Epoch {n}/{of}\n"), [a])


def _carets() -> Iterator[Layout]:
    a = made_up(2)
    part = " 40/160 [=====>....] - ETA: 9s - loss: 0.9210 - acc: 0.5125"
    bar = "160/160 " + EQ + " - 12s - {told}"
    yield text(keras2(a, line=f"^M{part}^M{bar}"), [a], "written out")
    yield text(keras2(a, line=f"{part}{'^H' * 80}^M{bar}", end="^M\n"), [a])
    yield text(keras2(a, line=f"^M{part}" * 400 + f"^M{bar}"), [a])
    yield text(keras2(a, line=f"{'^H' * 90}{part}{'^H' * 90}{bar}"), [a])


def _returns_removed() -> Iterator[Layout]:
    a, b = made_up(2), made_up(3, PLAIN, seed=1)
    parts = "".join(f"{at:>3}/640 [==>....] - ETA: {9 - at // 99}s - loss: 0.9{at:03} - acc: 0.4{at:03}" for at in range(32, 640, 32))
    bar = "640/640 " + EQ + " - 4s 420us/step - {told}"
    yield text(keras2(a, line=parts + bar), [a])
    yield text(keras2(b, line=parts + bar), [b])
    yield text(keras2(a, line=parts * 60 + bar), [a])
    yield text(keras2(a, line=parts + bar, end=""), [a])
    keras3 = "".join(f" {at}/640 {HEAVY} 1s 2ms/step - loss: 0.9{at:03}" for at in range(100, 640, 90))
    yield text(keras2(a, line=f"{keras3}640/640 {HEAVY} 2s 3ms/step - {{told}}"), [a])


def _wrapped() -> Iterator[Layout]:
    a = made_up(3)
    whole = keras2(a, line="120/120 " + EQ + " - 15s 125ms/step - {told}")
    for width in (72, 80, 100):
        cut = (line[start : start + width] for line in whole.splitlines() for start in range(0, len(line), width))
        yield text("".join(f"{part.rstrip()}\n" for part in cut), [a])
    yield text(whole.replace(" - val_loss", " -\n    val_loss"), [a])
    yield text("".join(f"> {line}\n" for line in whole.replace(" - val_loss", "\n - val_loss").splitlines()), [a])


def _in_the_middle() -> Iterator[Layout]:
    a = made_up(3, first=17)
    b = made_up(3, PLAIN, first=8, seed=1)
    bar = "25/25 " + EQ + " - 3s 110ms/step - {told}\n"
    tail, first = keras2(a[1:], of=40, count=25), bar.format(told=printed(a[0][1]))
    yield text(f"{first}{tail}", [a], "No `Epoch` line announces epoch 17")
    yield text(f"{first}\nEpoch 00017: val_loss did not improve from 0.9\n{tail}", [a])
    yield text(f"=====] - ETA: 1s - loss: 0.7\n\nEpoch 17: val_loss improved from 0.9 to 0.8\n{first}{tail}", [a])
    yield text(f"{first}\nEpoch 00016: val_loss did not improve\n{tail}", [a])
    yield text(bar.format(told=printed(b[0][1])) + keras2(b[1:], of=40, count=25), [b])


def _validation_bars() -> Iterator[Layout]:
    a = made_up(3, first=2)
    inner = "Epoch 1/{of}\n 9/9 " + EQ + " - 2s 180ms/step - loss: 0.5555 - acc: 0.6666\n"
    full = "12/12 " + EQ + " - 48s 4s/step - {told}"
    part = "11/12 [=====>...] - ETA: 4s - loss: 0.5010 - acc: 0.7990"
    planned = inner.replace("{of}", "6")
    yield text(keras2(a, of=6, line=part + "\n" + planned + full), [a], "not training's own")
    yield text(keras2(a, of=6, line=part + planned.replace("9/9", "12/12") + full), [a])
    yield text(keras2(a, of=6, line=planned.split("\n")[1] + "\n" + full), [a])
    yield text(keras2(a, of=6, line="\r" + part + "\r" + part + planned + full), [a])


def _evaluate_bars() -> Iterator[Layout]:
    a, b = made_up(3), made_up(3, PLAIN, seed=1)
    sizes = "Train on 640 samples, validate on 64 samples\n"
    bar = "640/640 " + EQ + " - 2s 3ms/sample - {told}\n"
    other = "64/64 " + EQ + " - 0s 1ms/sample - loss: 0.6543 - acc: 0.7654"
    yield text(sizes + keras2(b, line=bar + other), [b], "not training's own")
    yield text(sizes + keras2(b, line=other + "\n" + bar, end=""), [b])
    yield text("Train for 640 steps, validate for 64 steps\n" + keras2(b, line=bar.replace("sample", "step") + other), [b])
    yield text(keras2(a, line=bar + other.replace("64/64", "640/640")), [a])


def _glued() -> Iterator[Layout]:
    a = made_up(3)
    bar = "80/80 " + EQ + " - 9s 110ms/step - {told}"
    for behind in ("#frozen", "Epoch 00003: val_loss improved", "INFO:root:saved", "/usr/lib/x.py:3: UserWarning", '"', "<br>", "2026-01-02 10:00:00 saved", ", best", "Saving 3/4 files"):
        yield text(keras2(a, line=bar + behind), [a])


def _torn() -> Iterator[Layout]:
    a = made_up(2)
    for tail in ("Epoch 3/8\n", "Epoch 3/8\n 17/60 [====>.....] - ETA: 2s - loss: 0.3100 - acc: 0.87", "Epoch 3/8\n  3/Unknown - 2s 8ms/step - loss: 0.5", "Epoch 3/8\n60/60 " + EQ + " - ETA: 0s - loss: 0.4321 - acc: 0.5432"):
        yield text(keras2(a, of=8) + tail, [a], "Epoch 3 does not end")


def _dotted() -> Iterator[Layout]:
    a = made_up(2)
    bar = "70/70 " + EQ + " - 4s - "
    for spelt in (("loss", "acc.", "val. loss", "val. acc."), ("Loss", "Acc", "Val_loss", "Val_acc"), ("loss", "acc", "val loss", "val acc"), ("loss", "acc", "validation/loss", "validation/acc")):
        lines = [bar + printed(dict(zip(spelt, logs.values(), strict=True))) for _, logs in a]
        yield text("".join(f"Epoch {n}/2\n{line}\n" for (n, _), line in zip(a, lines, strict=True)), [a])


def _initial_epoch() -> Iterator[Layout]:
    for first, planned in ((11, 13), (2, 3), (100, 250)):
        a = made_up(2, first=first)
        yield text(keras2(a, of=planned), [a])


def _decorated() -> Iterator[Layout]:
    a = made_up(3)
    whole = keras2(a).splitlines()
    for before, behind in (("# ", ""), ("> > ", ""), ("2026-01-02 10:00:00,123 INFO train: ", ""), ("[worker-0] ", ""), ("trainer_1  | ", ""), ('"', '\\n",'), ("| ", " |"), ("2026-01-02T10:00:00.1234567Z ", ""), ("// ", "")):
        yield text("".join(f"{before}{line}{behind}\n" for line in whole), [a])
    yield text("".join(f"{place}\t{line}\n" for place, line in enumerate(whole, 1)), [a])
    yield text("\r\n".join(whole), [a])
    yield Layout({"train.log": "\r\n".join(whole).encode("utf-16")}, canonical([a]))
    yield text(keras2(a, line="{of}/{of} " + EQ + " – 3s – {told}").replace(" - ", " – "), [a])


def _captured() -> Iterator[Layout]:
    a = made_up(2)
    whole = keras2(a)
    cell = {"cell_type": "code", "outputs": [{"output_type": "stream", "name": "stdout", "text": whole.splitlines(keepends=True)}]}
    yield text(json.dumps({"cells": [{"cell_type": "markdown", "source": []}, cell], "nbformat": 4}), [a], name="a.ipynb")
    yield text(json.dumps([{"stream_name": "stdout", "time": 1.5, "data": line + "\n"} for line in whole.splitlines()]), [a])
    yield text("".join(json.dumps({"log": line + "\n", "stream": "stdout"}) + "\n" for line in whole.splitlines()), [a])


NAMES = ("loss", "accuracy", "val_loss", "val_accuracy")


def _tables() -> Iterator[Layout]:
    a, b = made_up(4, NAMES), made_up(3, ("box_loss", "cls_loss", "val_box_loss", "val_cls_loss"), seed=1)
    rows = [[n, *logs.values()] for n, logs in a]
    zero = [[n - 1, *logs.values()] for n, logs in a]
    for name in ("Epoch", "EPOCH", " epoch ", "epochs"):
        yield text(table([name, *NAMES], rows), [a], name="h.csv")
    for index in ("", "Unnamed: 0", "index"):
        yield text(table([index, *NAMES], zero), [a], name="h.csv")
    yield text(table(["", *NAMES, "epoch"], [[n + 6, *row[1:], row[0]] for n, row in enumerate(zero)]), [a], name="h.csv")
    yield text(table(NAMES, [row[1:] for row in rows]), [a], "rows were counted", name="h.csv")
    yield text(table(NAMES, [row[1:] for row in rows], delimiter=";"), [a], name="h.csv")
    yield text(table(["epoch", *NAMES], zero, delimiter="\t", end="\r\n"), [a], name="h.tsv")
    yield text(table(["epoch", *NAMES], rows, delimiter=";").replace(".", ","), [a], "decimal comma", name="h.csv")
    wide = [["epoch", *NAMES], *[[str(cell) for cell in row] for row in rows]]
    yield text("\n".join(", ".join(f"{cell:>14}" for cell in row) for row in wide), [a[:-1]] if False else [a], name="h.csv")
    yield text("\n".join("|" + "|".join(f" {cell} " for cell in row) + "|" for row in (wide[0], ["---"] * 5, *wide[1:])) + "\n", [a], name="h.md")
    yield text("\n".join("".join(f"{cell:>14}" for cell in row) for row in (["", *NAMES], *zero)) + "\n", [a], name="h.txt")
    for sides in (("train.loss", "train.acc", "val.loss", "val.acc"), ("Train Loss", "Train Accuracy", "Val Loss", "Val Accuracy"), ("trainLoss", "trainAccuracy", "valLoss", "valAccuracy"), ("loss/train", "accuracy/train", "loss/valid", "accuracy/valid"), ("training_loss", "training_accuracy", "validation_loss", "validation_accuracy")):
        yield text(table(["epoch", *sides], rows), [a], name="h.csv")
    for before, behind in (("train/", "val/"), ("train_", "valid_"), ("Train ", "Validation ")):
        sides = [before + name if not name.startswith("val_") else behind + name[4:] for name in b[0][1]]
        yield text(table(["epoch", *sides], [[n, *logs.values()] for n, logs in b]), [b], name="results.csv")
    long = [[n, side, logs[before + "loss"], logs[before + "accuracy"]] for n, logs in a for side, before in (("train", ""), ("val", "val_"))]
    yield text(table(["epoch", "phase", "loss", "accuracy"], long), [a], name="h.csv")
    parted = [row for n, logs in a for row in ([n, logs["loss"], logs["accuracy"], "", ""], [n, "", "", logs["val_loss"], logs["val_accuracy"]])]
    yield text(table(["epoch", *NAMES], parted), [a], name="h.csv")


def _tests_beside() -> Iterator[Layout]:
    names = (*NAMES, "test_loss", "test_accuracy")
    a = made_up(3, names)
    rows = [[n, *logs.values()] for n, logs in a]
    yield text(table(["epoch", *names], rows), [a], name="h.csv")
    yield text(table(["epoch", *[n.replace("_", "/") for n in names]], rows), [a], name="h.csv")
    yield text(json.dumps({name: [logs[name] for _, logs in a] for name in reversed(names)}), [a], name="h.json")
    b = made_up(3, ("loss", "test_loss"), seed=1)
    yield text(table(["epoch", "train_loss", "test_loss"], [[n, *logs.values()] for n, logs in b]), [b], name="h.csv")


def _lightning() -> Iterator[Layout]:
    names = ("loss", "val_loss")
    a = made_up(3, names)
    head = ["epoch", "step", "train_loss_step", "train_loss_epoch", "val_loss", "test_loss"]
    rows: list[list[object]] = []
    for n, logs in a:
        rows += [[n - 1, 30 * n + step, 0.1111 * step, "", "", ""] for step in (1, 2)]
        rows += [[n - 1, 30 * n + 9, "", "", logs["val_loss"], ""], [n - 1, 30 * n + 9, "", logs["loss"], "", ""]]
    yield text(table(head, rows), [a], name="metrics.csv")
    yield text(table(head, [*rows, [2, 99, "", "", "", 0.4321]]), [[*a[:2], (3, {**a[2][1], "test_loss": 0.4321})]], name="metrics.csv")
    means = [(n, {"loss": (0.25 * n + 0.75 * n) / 2, "val_loss": logs["val_loss"]}) for n, logs in a]
    stepped = [row for n, logs in a for row in ([n - 1, n * 9, 0.25 * n, ""], [n - 1, n * 9 + 1, 0.75 * n, ""], [n - 1, n * 9 + 2, "", logs["val_loss"]])]
    yield text(table(["epoch", "step", "train_loss", "val_loss"], stepped), [means], "the mean of its readings", name="metrics.csv")
    yield text(table(["epoch", "step", "train_loss_step", "val_loss"], stepped), [means], "the mean of its readings", name="metrics.csv")
    yield text(table(["lr-Adam", *head], [row for r in rows for row in ([0.001, "", r[1], "", "", "", ""], ["", *r])][:-2] + [["", *rows[-1]]]), [[(n, {"loss": l["loss"], "val_loss": l["val_loss"], "lr-Adam": 0.001}) for n, l in a]], name="metrics.csv")


def _trainer_states() -> Iterator[Layout]:
    a = made_up(3, ("loss", "val_loss"))
    own = [[{"epoch": n, "loss": l["loss"], "learning_rate": 1e-5, "grad_norm": 1.5}, {"epoch": n, "eval_loss": l["val_loss"], "eval_runtime": 2.0}] for n, l in a]
    full = [[(n, {**l, "grad_norm": 1.5}) for n, l in a]]
    flat = [row for pair in own for row in pair]
    yield text(json.dumps({"log_history": flat}), full, name="trainer_state.json")
    yield text(json.dumps({"log_history": [*flat, {"epoch": 3.0, "train_runtime": 9.0, "train_loss": 0.777}]}), full, "closing summary", name="t.json")
    yield text(json.dumps({"log_history": [*flat, {"epoch": 3.4, "loss": 0.6}], "global_step": 34, "max_steps": 90}), full, "does not end", name="t.json")
    yield text("".join(f"{row}\n" for row in flat), [[(n, {**l, "learning_rate": 1e-5, "grad_norm": 1.5}) for n, l in a]], name="console.txt") if False else text(json.dumps(flat), [[(n, {**l, "learning_rate": 1e-5, "grad_norm": 1.5, "val_runtime": 2.0}) for n, l in a]], name="t.json")


def _objects() -> Iterator[Layout]:
    a, b = made_up(4, NAMES), made_up(2, NAMES, seed=1)
    columns = {name: [logs[name] for _, logs in a] for name in NAMES}
    other = {name: [logs[name] for _, logs in b] for name in NAMES}
    rows = [{"epoch": n, **logs} for n, logs in a]
    for content in (
        repr(columns), f"history = {columns}", "{" + ", ".join(f"'{k}': array({v}, dtype=float32)" for k, v in columns.items()) + "}",
        "{" + ", ".join(f"'{k}': [{', '.join(f'np.float64({x})' for x in v)}]" for k, v in columns.items()) + "}",
        json.dumps(repr(columns)), f"defaultdict(<class 'list'>, {columns})", json.dumps(columns, indent=2), json.dumps({"history": columns, "epoch": [0, 1, 2, 3]}),
        json.dumps({k: {str(i): v for i, v in enumerate(vs)} for k, vs in columns.items()}),
        json.dumps({str(i): {k: v for k, v in row.items() if k != "epoch"} for i, row in enumerate(rows)}),
        json.dumps({"columns": list(NAMES), "index": [0, 1, 2, 3], "data": [list(l.values()) for _, l in a]}),
        json.dumps({"schema": {"fields": []}, "data": [{"index": n - 1, **l} for n, l in a]}).replace('"index"', '"step"'),
        json.dumps(rows), "\n".join(map(json.dumps, rows)), "\n".join(map(repr, rows)), "[" + ",\n".join(map(json.dumps, rows)) + "]",
        "\n".join(json.dumps({"epoch": r["epoch"], "train": {"loss": r["loss"], "accuracy": r["accuracy"]}, "val": {"loss": r["val_loss"], "accuracy": r["val_accuracy"]}}) for r in rows),
        "\n".join(json.dumps({"mode": mode, "epoch": r["epoch"], "loss": r[p + "loss"], "accuracy": r[p + "accuracy"]}) for r in rows for mode, p in (("train", ""), ("val", "val_"))),
    ):
        yield text(content + "\n", [a], name="history.txt")
    yield text(json.dumps([columns, other]), [a, b], name="folds.json")
    yield text(f"{columns}\n{other}\n", [a, b], name="folds.txt")
    yield text(json.dumps({"first": columns, "second": other}), [a, b], name="models.json")


def _downloads() -> Iterator[Layout]:
    a = made_up(3, NAMES)
    def files(spelt: Callable[[str, str], str], write: Callable[[list[tuple[int, float]]], str]) -> dict[str, bytes]:
        return {spelt("validation" if name.startswith("val_") else "train", name.removeprefix("val_")): write([(n - 1, l[name]) for n, l in a]).encode() for name in NAMES}
    as_csv = lambda points: "Wall time,Step,Value\n" + "".join(f"{1790000000 + 9 * s},{s},{v}\n" for s, v in points)
    as_json = lambda points: json.dumps([[1790000000.5 + 9 * s, s, v] for s, v in points])
    yield Layout(files(lambda side, tag: f"run-{side}-tag-epoch_{tag}.csv", as_csv), [a])
    yield Layout(files(lambda side, tag: f"run-{side}-tag-epoch_{tag}.json", as_json), [a])
    yield Layout(files(lambda side, tag: f"lstm_{side}_tag_epoch_{tag}.csv", as_csv), [a])
    yield Layout(files(lambda side, tag: f"{side}_{tag}.csv", as_csv), [a])
    head = ["Step", *(f"{run} - {name}{part}" for run in ("calm-sun-1",) for name in NAMES for part in ("", "__MIN", "__MAX"))]
    yield text(table(head, [[n - 1, *(v for value in l.values() for v in (value, value, value))] for n, l in a]), [a], name="wandb_export.csv")
    yield text(table(["epoch/epoch", "r - epoch/loss", "r - epoch/val_loss"], [[n - 1, l["loss"], l["val_loss"]] for n, l in a]), [[(n, {"loss": l["loss"], "val_loss": l["val_loss"]}) for n, l in a]], name="wandb.csv")


def _mlflow() -> Iterator[Layout]:
    for names, first in ((NAMES, 0), (("loss", "val_loss", "test_loss"), 0), (("train/loss", "val/loss", "test/loss"), 1)):
        a = made_up(3, names)
        run = "project/mlruns/0/0123456789abcdef0123456789abcdef"
        files = {f"{run}/metrics/{k}": "".join(f"179000000000{n} {l[k]} {n - 1 + first}\n" for n, l in a).encode() for k in names}
        files[f"{run}/meta.yaml"] = b"run_id: x\nstatus: 3\n"
        files["project/mlruns/0/meta.yaml"] = b"name: Default\n"
        files["project/train.py"] = b"print()\n"
        spelt = {"train/loss": "loss", "val/loss": "val_loss", "test/loss": "test_loss"}
        yield Layout(files, [[(n, {spelt.get(k, k): v for k, v in l.items()}) for n, l in a]])


def _nothing() -> Iterator[Layout]:
    for content in (
        "#### Epoch 0/9\ntrain loss: 1.91, acc: 0.31<br>\n", "Epoch 1/5\n 3/60 [>....] - ETA: 9s - loss: 0.5\n", "Epoch 1/5\n",
        "epoch 1 train_loss 0.5 val_loss 0.6\nepoch 2 train_loss 0.4 val_loss 0.5\n", "0 [D loss: 0.81, acc.: 41.2%] [G loss: 0.77]\n",
        "Epoch 3: 100%|█████| 60/60 [00:03<00:00, 20.1it/s, loss=0.512, v_num=0]\n", "[0]\ttrain-logloss:0.6\tvalid-logloss:0.7\n",
        '{"name": "x", "epochs": 5}\n', "epoch,loss\n", "60/60 [==] - 0s 1ms/step\n", "name,age\nann,3\n", "a b c\nd e f\n", "{}\n", "[]\n", "loss\n", "x = {'a': 1}\n",
    ):
        yield text(content, [], name="what.txt")


KINDS: dict[str, Callable[[], Iterator[Layout]]] = {
    "verbose 2": _verbose_2, "several fits": _several_fits, "still says ETA": _still_says_eta, "colours": _colours, "carets": _carets,
    "returns removed": _returns_removed, "wrapped": _wrapped, "in the middle": _in_the_middle, "validation bars": _validation_bars,
    "evaluate bars": _evaluate_bars, "glued": _glued, "torn": _torn, "dotted": _dotted, "initial epoch": _initial_epoch, "decorated": _decorated,
    "captured": _captured, "tables": _tables, "tests beside": _tests_beside, "lightning": _lightning, "trainer states": _trainer_states,
    "objects": _objects, "downloads": _downloads, "mlflow": _mlflow, "nothing": _nothing,
}


def layouts() -> Iterator[tuple[str, Layout]]:
    """Yield every layout with the name of its kind and its number in it."""
    for kind, make in KINDS.items():
        for number, layout in enumerate(make()):
            yield f"{kind} {number}", layout
