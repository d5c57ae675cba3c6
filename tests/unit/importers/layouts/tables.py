"""Tables, objects and stores in layouts that people have, and texts that hold no training."""

import json
from collections.abc import Callable, Iterator

from tests.unit.importers.layouts.layout import Layout, made_up, table, text

NAMES = ("loss", "accuracy", "val_loss", "val_accuracy")


def tables() -> Iterator[Layout]:
    """Yield logs of the kind: tables."""
    a, b = made_up(4, NAMES), made_up(3, ("box_loss", "cls_loss", "val_box_loss", "val_cls_loss"), seed=1)
    rows = [[n, *logs.values()] for n, logs in a]
    zero: list[list[object]] = [[n - 1, *logs.values()] for n, logs in a]
    for name in ("Epoch", "EPOCH", " epoch ", "epochs"):
        yield text(table([name, *NAMES], rows), [a], name="h.csv")
    for escape in ("\x1b", ""):
        green = [[n, *(f"{escape}[32m{value}{escape}[0m" for value in logs.values())] for n, logs in a]
        yield text(table(["epoch", *NAMES], green), [a], name="h.csv")
    for index in ("", "Unnamed: 0", "index"):
        yield text(table([index, *NAMES], zero), [a], name="h.csv")
    yield text(
        table(["", *NAMES, "epoch"], [[n + 6, *row[1:], row[0]] for n, row in enumerate(zero)]), [a], name="h.csv"
    )
    yield text(table(NAMES, [row[1:] for row in rows]), [a], "rows were counted", name="h.csv")
    yield text(table(NAMES, [row[1:] for row in rows], delimiter=";"), [a], name="h.csv")
    yield text(table(["epoch", *NAMES], zero, delimiter="\t", end="\r\n"), [a], name="h.tsv")
    yield text(table(["epoch", *NAMES], rows, delimiter=";").replace(".", ","), [a], "decimal comma", name="h.csv")
    wide = [["epoch", *NAMES], *[[str(cell) for cell in row] for row in rows]]
    yield text("\n".join(", ".join(f"{cell:>14}" for cell in row) for row in wide), [a], name="h.csv")
    yield text(
        "\n".join("|" + "|".join(f" {cell} " for cell in row) + "|" for row in (wide[0], ["---"] * 5, *wide[1:]))
        + "\n",
        [a],
        name="h.md",
    )
    shown: list[list[object]] = [["", *NAMES], *zero]
    yield text("\n".join("".join(f"{cell:>14}" for cell in row) for row in shown) + "\n", [a], name="h.txt")
    for sides in (
        ("train.loss", "train.acc", "val.loss", "val.acc"),
        ("Train Loss", "Train Accuracy", "Val Loss", "Val Accuracy"),
        ("trainLoss", "trainAccuracy", "valLoss", "valAccuracy"),
        ("loss/train", "accuracy/train", "loss/valid", "accuracy/valid"),
        ("training_loss", "training_accuracy", "validation_loss", "validation_accuracy"),
    ):
        yield text(table(["epoch", *sides], rows), [a], name="h.csv")
    for before, behind in (("train/", "val/"), ("train_", "valid_"), ("Train ", "Validation ")):
        columns = [before + name if not name.startswith("val_") else behind + name[4:] for name in b[0][1]]
        yield text(table(["epoch", *columns], [[n, *logs.values()] for n, logs in b]), [b], name="results.csv")
    long = [
        [n, side, logs[before + "loss"], logs[before + "accuracy"]]
        for n, logs in a
        for side, before in (("train", ""), ("val", "val_"))
    ]
    yield text(table(["epoch", "phase", "loss", "accuracy"], long), [a], name="h.csv")
    parted = [
        row
        for n, logs in a
        for row in ([n, logs["loss"], logs["accuracy"], "", ""], [n, "", "", logs["val_loss"], logs["val_accuracy"]])
    ]
    yield text(table(["epoch", *NAMES], parted), [a], name="h.csv")


def tests_beside() -> Iterator[Layout]:
    """Yield logs of the kind: tests beside."""
    names = (*NAMES, "test_loss", "test_accuracy")
    a = made_up(3, names)
    rows = [[n, *logs.values()] for n, logs in a]
    yield text(table(["epoch", *names], rows), [a], name="h.csv")
    yield text(table(["epoch", *[n.replace("_", "/") for n in names]], rows), [a], name="h.csv")
    yield text(json.dumps({name: [logs[name] for _, logs in a] for name in reversed(names)}), [a], name="h.json")
    b = made_up(3, ("loss", "test_loss"), seed=1)
    yield text(table(["epoch", "train_loss", "test_loss"], [[n, *logs.values()] for n, logs in b]), [b], name="h.csv")


def lightning() -> Iterator[Layout]:
    """Yield logs of the kind: lightning."""
    names = ("loss", "val_loss")
    a = made_up(3, names)
    head = ["epoch", "step", "train_loss_step", "train_loss_epoch", "val_loss", "test_loss"]
    rows: list[list[object]] = []
    for n, logs in a:
        rows += [[n - 1, 30 * n + step, 0.1111 * step, "", "", ""] for step in (1, 2)]
        rows += [[n - 1, 30 * n + 9, "", "", logs["val_loss"], ""], [n - 1, 30 * n + 9, "", logs["loss"], "", ""]]
    yield text(table(head, rows), [a], name="metrics.csv")
    yield text(
        table(head, [*rows, [2, 99, "", "", "", 0.4321]]),
        [[*a[:2], (3, {**a[2][1], "test_loss": 0.4321})]],
        name="metrics.csv",
    )
    means = [(n, {"loss": (0.25 * n + 0.75 * n) / 2, "val_loss": logs["val_loss"]}) for n, logs in a]
    stepped = [
        row
        for n, logs in a
        for row in (
            [n - 1, n * 9, 0.25 * n, ""],
            [n - 1, n * 9 + 1, 0.75 * n, ""],
            [n - 1, n * 9 + 2, "", logs["val_loss"]],
        )
    ]
    yield text(
        table(["epoch", "step", "train_loss", "val_loss"], stepped),
        [means],
        "the mean of its readings",
        name="metrics.csv",
    )
    yield text(
        table(["epoch", "step", "train_loss_step", "val_loss"], stepped),
        [means],
        "the mean of its readings",
        name="metrics.csv",
    )
    yield text(
        table(
            ["lr-Adam", *head],
            [*[row for r in rows for row in ([0.001, "", r[1], "", "", "", ""], ["", *r])][:-2], ["", *rows[-1]]],
        ),
        [[(n, {"loss": logs["loss"], "val_loss": logs["val_loss"], "lr-Adam": 0.001}) for n, logs in a]],
        name="metrics.csv",
    )


def trainer_states() -> Iterator[Layout]:
    """Yield logs of the kind: trainer states."""
    a = made_up(3, ("loss", "val_loss"))
    own = [
        [
            {"epoch": n, "loss": logs["loss"], "learning_rate": 1e-5, "grad_norm": 1.5},
            {"epoch": n, "eval_loss": logs["val_loss"], "eval_runtime": 2.0},
        ]
        for n, logs in a
    ]
    full = [[(n, {**logs, "grad_norm": 1.5}) for n, logs in a]]
    flat = [row for pair in own for row in pair]
    yield text(json.dumps({"log_history": flat}), full, name="trainer_state.json")
    yield text(
        json.dumps({"log_history": [*flat, {"epoch": 3.0, "train_runtime": 9.0, "train_loss": 0.777}]}),
        full,
        "closing summary",
        name="t.json",
    )
    yield text(
        json.dumps({"log_history": [*flat, {"epoch": 3.4, "loss": 0.6}], "global_step": 34, "max_steps": 90}),
        full,
        "does not end",
        name="t.json",
    )
    listed = [[(n, {**logs, "grad_norm": 1.5}) for n, logs in a]]
    yield text(json.dumps(flat), listed, name="t.json")
    yield text("".join(f"{row}\n" for row in flat), listed, name="console.txt")


def objects() -> Iterator[Layout]:
    """Yield logs of the kind: objects."""
    a, b = made_up(4, NAMES), made_up(2, NAMES, seed=1)
    columns = {name: [logs[name] for _, logs in a] for name in NAMES}
    other = {name: [logs[name] for _, logs in b] for name in NAMES}
    rows = [{"epoch": n, **logs} for n, logs in a]
    for content in (
        repr(columns),
        f"history = {columns}",
        "{" + ", ".join(f"'{k}': array({v}, dtype=float32)" for k, v in columns.items()) + "}",
        "{" + ", ".join(f"'{k}': [{', '.join(f'np.float64({x})' for x in v)}]" for k, v in columns.items()) + "}",
        json.dumps(repr(columns)),
        f"defaultdict(<class 'list'>, {columns})",
        json.dumps(columns, indent=2),
        json.dumps({"history": columns, "epoch": [0, 1, 2, 3]}),
        json.dumps({k: {str(i): v for i, v in enumerate(vs)} for k, vs in columns.items()}),
        json.dumps({str(i): {k: v for k, v in row.items() if k != "epoch"} for i, row in enumerate(rows)}),
        json.dumps({"columns": list(NAMES), "index": [0, 1, 2, 3], "data": [list(logs.values()) for _, logs in a]}),
        json.dumps({"schema": {"fields": []}, "data": [{"index": n - 1, **logs} for n, logs in a]}).replace(
            '"index"', '"step"'
        ),
        json.dumps(rows),
        "\n".join(map(json.dumps, rows)),
        "\n".join(map(repr, rows)),
        "[" + ",\n".join(map(json.dumps, rows)) + "]",
        "\n".join(
            json.dumps(
                {
                    "epoch": r["epoch"],
                    "train": {"loss": r["loss"], "accuracy": r["accuracy"]},
                    "val": {"loss": r["val_loss"], "accuracy": r["val_accuracy"]},
                }
            )
            for r in rows
        ),
        "\n".join(
            json.dumps({"mode": mode, "epoch": r["epoch"], "loss": r[p + "loss"], "accuracy": r[p + "accuracy"]})
            for r in rows
            for mode, p in (("train", ""), ("val", "val_"))
        ),
    ):
        yield text(content + "\n", [a], name="history.txt")
    yield text(json.dumps([columns, other]), [a, b], name="folds.json")
    yield text(f"{columns}\n{other}\n", [a, b], name="folds.txt")
    yield text(json.dumps({"first": columns, "second": other}), [a, b], name="models.json")


def downloads() -> Iterator[Layout]:
    """Yield logs of the kind: downloads."""
    a = made_up(3, NAMES)

    def files(spelt: Callable[[str, str], str], write: Callable[[list[tuple[int, float]]], str]) -> dict[str, bytes]:
        return {
            spelt("validation" if name.startswith("val_") else "train", name.removeprefix("val_")): write(
                [(n - 1, logs[name]) for n, logs in a]
            ).encode()
            for name in NAMES
        }

    def as_csv(points: list[tuple[int, float]]) -> str:
        return "Wall time,Step,Value\n" + "".join(f"{1790000000 + 9 * s},{s},{v}\n" for s, v in points)

    def as_json(points: list[tuple[int, float]]) -> str:
        return json.dumps([[1790000000.5 + 9 * s, s, v] for s, v in points])

    yield Layout(files(lambda side, tag: f"run-{side}-tag-epoch_{tag}.csv", as_csv), [a])
    yield Layout(files(lambda side, tag: f"run-{side}-tag-epoch_{tag}.json", as_json), [a])
    yield Layout(files(lambda side, tag: f"lstm_{side}_tag_epoch_{tag}.csv", as_csv), [a])
    yield Layout(files(lambda side, tag: f"{side}_{tag}.csv", as_csv), [a])
    head = [
        "Step",
        *(f"{run} - {name}{part}" for run in ("calm-sun-1",) for name in NAMES for part in ("", "__MIN", "__MAX")),
    ]
    yield text(
        table(head, [[n - 1, *(v for value in logs.values() for v in (value, value, value))] for n, logs in a]),
        [a],
        name="wandb_export.csv",
    )
    yield text(
        table(
            ["epoch/epoch", "r - epoch/loss", "r - epoch/val_loss"],
            [[n - 1, logs["loss"], logs["val_loss"]] for n, logs in a],
        ),
        [[(n, {"loss": logs["loss"], "val_loss": logs["val_loss"]}) for n, logs in a]],
        name="wandb.csv",
    )


def mlflow() -> Iterator[Layout]:
    """Yield logs of the kind: mlflow."""
    for names, first in (
        (NAMES, 0),
        (("loss", "val_loss", "test_loss"), 0),
        (("train/loss", "val/loss", "test/loss"), 1),
    ):
        a = made_up(3, names)
        run = "project/mlruns/0/0123456789abcdef0123456789abcdef"
        files = {
            f"{run}/metrics/{k}": "".join(f"179000000000{n} {logs[k]} {n - 1 + first}\n" for n, logs in a).encode()
            for k in names
        }
        files[f"{run}/meta.yaml"] = b"run_id: x\nstatus: 3\n"
        files["project/mlruns/0/meta.yaml"] = b"name: Default\n"
        files["project/train.py"] = b"print()\n"
        spelt = {"train/loss": "loss", "val/loss": "val_loss", "test/loss": "test_loss"}
        yield Layout(files, [[(n, {spelt.get(k, k): v for k, v in logs.items()}) for n, logs in a]])


def nothing() -> Iterator[Layout]:
    """Yield logs of the kind: nothing."""
    for content in (
        "#### Epoch 0/9\ntrain loss: 1.91, acc: 0.31<br>\n",
        "Epoch 1/5\n 3/60 [>....] - ETA: 9s - loss: 0.5\n",
        "Epoch 1/5\n",
        "epoch 1 train_loss 0.5 val_loss 0.6\nepoch 2 train_loss 0.4 val_loss 0.5\n",
        "0 [D loss: 0.81, acc.: 41.2%] [G loss: 0.77]\n",
        "Epoch 3: 100%|█████| 60/60 [00:03<00:00, 20.1it/s, loss=0.512, v_num=0]\n",
        "[0]\ttrain-logloss:0.6\tvalid-logloss:0.7\n",
        '{"name": "x", "epochs": 5}\n',
        "epoch,loss\n",
        "60/60 [==] - 0s 1ms/step\n",
        "name,age\nann,3\n",
        "a b c\nd e f\n",
        "{}\n",
        "[]\n",
        "loss\n",
        "x = {'a': 1}\n",
    ):
        yield text(content, [], name="what.txt")
