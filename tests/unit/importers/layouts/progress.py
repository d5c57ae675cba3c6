"""Progress text in layouts that people have."""

import json
from collections.abc import Iterator

from tests.unit.importers.layouts.layout import EQ, HEAVY, PLAIN, Layout, canonical, keras2, made_up, printed, text


def verbose_2() -> Iterator[Layout]:
    """Yield logs of the kind: verbose 2."""
    a, b = made_up(3), made_up(2, PLAIN, seed=1)
    yield text(keras2(a, line="{n}s - {told}"), [a])
    yield text(keras2(a, line=" - 12s - {told}"), [a])
    yield text("Using TensorFlow backend.\n" + keras2(b, line="0s - {told}"), [b])
    yield text(keras2(a, line="    61s - {told}", header="    Epoch {n}/{of}\n"), [a])
    yield text(
        "\n".join(f"{index:>3}: {line}" for index, line in enumerate(keras2(a, line="7s - {told}").split("\n"))), [a]
    )


def several_fits() -> Iterator[Layout]:
    """Yield logs of the kind: several fits."""
    a, b, c = made_up(2), made_up(3, seed=1), made_up(2, seed=2)
    bare = "Train on 90 samples, validate on 10 samples\n"
    yield text(f"fold 0\n{bare}{keras2(a)}fold 1\n{bare}{keras2(b)}", [a, b])
    yield text(f"{bare}{keras2(a)}{bare}{keras2(c)}", [a, c])
    yield text(keras2(a) + keras2(b, of=5) + keras2(c), [a, b, c])
    more = made_up(2, first=3, seed=3)
    yield text(f"{bare}{keras2(a, of=4)}{bare}{keras2(more, of=4)}", [a, more])


def still_says_eta() -> Iterator[Layout]:
    """Yield logs of the kind: still says eta."""
    a, b = made_up(3), made_up(3, PLAIN, seed=1)
    bar = "{of}/{of} " + EQ + " - ETA: 0s - {told}"
    yield text(keras2(a, line=bar, count=25000), [a])
    yield text(keras2(a, line=bar.replace("0s", "0:00")), [a])
    yield text(keras2(b, of=9, line=bar) + "Epoch 4/9\n 3/60 [>....] - ETA: 9s - loss: 0.5\n", [b], "does not end")
    yield text(keras2(a, line="\r 12/{of} [==>...] - ETA: 1s - loss: 0.7777\r" + bar), [a])


def colours() -> Iterator[Layout]:
    """Yield logs of the kind: colours."""
    a = made_up(3, ("accuracy", "loss", "val_accuracy", "val_loss"))
    for begin, indent in (
        ("[", ""),
        ("\\x1b[", "  "),
        ("\u241b[", ""),
        ("\\u001b[", "\t"),
        ("^[[", ""),
        ("\x1b[", "    "),
    ):
        green, end = f"{begin}32m{HEAVY}", f"{begin}0m"
        bar = f"{indent}{begin}1m{{of}}/{{of}}{end} {green}{end}{begin}37m{end} {begin}1m4s{end} 11ms/step - {{told}}"
        yield text(keras2(a, line=bar, header=indent + "Epoch {n}/{of}\n"), [a])


def carets() -> Iterator[Layout]:
    """Yield logs of the kind: carets."""
    a = made_up(2)
    part = " 40/160 [=====>....] - ETA: 9s - loss: 0.9210 - acc: 0.5125"
    bar = "160/160 " + EQ + " - 12s - {told}"
    yield text(keras2(a, line=f"^M{part}^M{bar}"), [a], "written out")
    yield text(keras2(a, line=f"{part}{'^H' * 80}^M{bar}", end="^M\n"), [a])
    yield text(keras2(a, line=f"^M{part}" * 400 + f"^M{bar}"), [a])
    yield text(keras2(a, line=f"{'^H' * 90}{part}{'^H' * 90}{bar}"), [a])


def returns_removed() -> Iterator[Layout]:
    """Yield logs of the kind: returns removed."""
    a, b = made_up(2), made_up(3, PLAIN, seed=1)
    parts = "".join(
        f"{at:>3}/640 [==>....] - ETA: {9 - at // 99}s - loss: 0.9{at:03} - acc: 0.4{at:03}"
        for at in range(32, 640, 32)
    )
    bar = "640/640 " + EQ + " - 4s 420us/step - {told}"
    yield text(keras2(a, line=parts + bar), [a])
    yield text(keras2(b, line=parts + bar), [b])
    yield text(keras2(a, line=parts * 60 + bar), [a])
    yield text(keras2(a, line=parts + bar, end=""), [a])
    keras3 = "".join(f" {at}/640 {HEAVY} 1s 2ms/step - loss: 0.9{at:03}" for at in range(100, 640, 90))
    yield text(keras2(a, line=f"{keras3}640/640 {HEAVY} 2s 3ms/step - {{told}}"), [a])


def wrapped() -> Iterator[Layout]:
    """Yield logs of the kind: wrapped."""
    a = made_up(3)
    whole = keras2(a, line="120/120 " + EQ + " - 15s 125ms/step - {told}")
    for width in (72, 80, 100):
        cut = (line[start : start + width] for line in whole.splitlines() for start in range(0, len(line), width))
        yield text("".join(f"{part.rstrip()}\n" for part in cut), [a])
    yield text(whole.replace(" - val_loss", " -\n    val_loss"), [a])
    yield text("".join(f"> {line}\n" for line in whole.replace(" - val_loss", "\n - val_loss").splitlines()), [a])


def logged() -> Iterator[Layout]:
    """Yield logs of the kind: printed by logging, with values that somebody shortened."""
    a = made_up(3)
    short = [(n, dict(zip(logs, (0.5 + n / 10, 0.71, 0.6, 0.65), strict=True))) for n, logs in a]
    for begin in (
        "2020-01-01 10:00:00,123 INFO train.py:33 ",
        "[2020-01-01 10:00:00,123] {train.py:33} INFO - ",
        "INFO:root:",
        "train.py:34 ",
        "10:00:02 PM ",
        "Mar  3 10:00:00 host python[123]: ",
        "2024-03-01T10:00:00.123456789Z ",
    ):
        for epochs, told in (
            (a, "{told}"),
            (short, "loss: {loss} - acc: {acc} - val_loss: {val_loss} - val_acc: {val_acc}"),
        ):
            lines = "".join(
                f"{begin}Epoch {n}/3\n{begin}99/99 - 1s - {told.format(told=printed(logs), **logs)}\n"
                for n, logs in epochs
            )
            yield text(lines, [epochs])
    yield text(
        "".join(
            f"Epoch {n}/3\n9/9 - 1s - loss: 0.5 - acc: 0.71 - val_loss: 0.6 - val_acc: 0.65\n33\n" for n in (1, 2, 3)
        ),
        [[(n, {"loss": 0.5, "acc": 0.71, "val_loss": 0.6, "val_acc": 0.65}) for n in (1, 2, 3)]],
    )


def in_the_middle() -> Iterator[Layout]:
    """Yield logs of the kind: in the middle."""
    a = made_up(3, first=17)
    b = made_up(3, PLAIN, first=8, seed=1)
    bar = "25/25 " + EQ + " - 3s 110ms/step - {told}\n"
    tail, first = keras2(a[1:], of=40, count=25), bar.format(told=printed(a[0][1]))
    yield text(f"{first}{tail}", [a], "No `Epoch` line announces epoch 17")
    yield text(f"{first}\nEpoch 00017: val_loss did not improve from 0.9\n{tail}", [a])
    yield text(f"=====] - ETA: 1s - loss: 0.7\n\nEpoch 17: val_loss improved from 0.9 to 0.8\n{first}{tail}", [a])
    yield text(f"{first}\nEpoch 00016: val_loss did not improve\n{tail}", [a])
    yield text(bar.format(told=printed(b[0][1])) + keras2(b[1:], of=40, count=25), [b])


def validation_bars() -> Iterator[Layout]:
    """Yield logs of the kind: validation bars."""
    a = made_up(3, first=2)
    inner = "Epoch 1/{of}\n 9/9 " + EQ + " - 2s 180ms/step - loss: 0.5555 - acc: 0.6666\n"
    full = "12/12 " + EQ + " - 48s 4s/step - {told}"
    part = "11/12 [=====>...] - ETA: 4s - loss: 0.5010 - acc: 0.7990"
    planned = inner.replace("{of}", "6")
    yield text(keras2(a, of=6, line=part + "\n" + planned + full), [a], "not training's own")
    yield text(keras2(a, of=6, line=part + planned.replace("9/9", "12/12") + full), [a])
    yield text(keras2(a, of=6, line=planned.split("\n")[1] + "\n" + full), [a])
    yield text(keras2(a, of=6, line="\r" + part + "\r" + part + planned + full), [a])
    b = made_up(2, seed=1)
    yield text(keras2(b, of=6, line=part + "\n" + planned + full), [b], "not training's own")
    yield text(keras2(b, of=6, line=part + planned + full), [b], "not training's own")


def restarts() -> Iterator[Layout]:
    """Yield logs of the kind: restarts."""
    a, b = made_up(2), made_up(2, seed=1)
    torn = "Epoch 3/5\n30/60 [====>....] - ETA: 3s - loss: 0.4000 - acc: 0.5000\n"
    first = " 1/60 [>.......] - ETA: 9s - loss: 0.9000 - acc: 0.1000\n"
    trace = "Traceback (most recent call last):\n  File x\nKeyboardInterrupt\n"
    again = keras2(b, of=5)
    says = "Epoch 3 does not end in the log"
    yield text(keras2(a, of=5) + torn + trace + again, [a, b], says)
    yield text(keras2(a, of=5) + torn + again, [a, b], says)
    yield text(keras2(a, of=5) + torn + again.replace("Epoch 1/5\n", f"Epoch 1/5\n{first}"), [a, b], says)
    yield text(keras2(a, of=5) + torn + "Train on 9 samples, validate on 3 samples\n" + again, [a, b], says)


def evaluate_bars() -> Iterator[Layout]:
    """Yield logs of the kind: evaluate bars."""
    a, b = made_up(3), made_up(3, PLAIN, seed=1)
    sizes = "Train on 640 samples, validate on 64 samples\n"
    bar = "640/640 " + EQ + " - 2s 3ms/sample - {told}\n"
    other = "64/64 " + EQ + " - 0s 1ms/sample - loss: 0.6543 - acc: 0.7654"
    yield text(sizes + keras2(b, line=bar + other), [b], "not training's own")
    yield text(sizes + keras2(b, line=other + "\n" + bar, end=""), [b])
    yield text(
        "Train for 640 steps, validate for 64 steps\n" + keras2(b, line=bar.replace("sample", "step") + other), [b]
    )
    yield text(keras2(a, line=bar + other.replace("64/64", "640/640")), [a])


def glued() -> Iterator[Layout]:
    """Yield logs of the kind: glued."""
    a = made_up(3)
    bar = "80/80 " + EQ + " - 9s 110ms/step - {told}"
    for behind in (
        "#frozen",
        "Epoch 00003: val_loss improved",
        "INFO:root:saved",
        "/usr/lib/x.py:3: UserWarning",
        '"',
        "<br>",
        "2026-01-02 10:00:00 saved",
        ", best",
        "Saving 3/4 files",
    ):
        yield text(keras2(a, line=bar + behind), [a])


def torn() -> Iterator[Layout]:
    """Yield logs of the kind: torn."""
    a = made_up(2)
    for tail in (
        "Epoch 3/8\n",
        "Epoch 3/8\n 17/60 [====>.....] - ETA: 2s - loss: 0.3100 - acc: 0.87",
        "Epoch 3/8\n  3/Unknown - 2s 8ms/step - loss: 0.5",
        "Epoch 3/8\n60/60 " + EQ + " - ETA: 0s - loss: 0.4321 - acc: 0.5432",
    ):
        yield text(keras2(a, of=8) + tail, [a], "Epoch 3 does not end")


def dotted() -> Iterator[Layout]:
    """Yield logs of the kind: dotted."""
    a = made_up(2)
    bar = "70/70 " + EQ + " - 4s - "
    for spelt in (
        ("loss", "acc.", "val. loss", "val. acc."),
        ("Loss", "Acc", "Val_loss", "Val_acc"),
        ("loss", "acc", "val loss", "val acc"),
        ("loss", "acc", "validation/loss", "validation/acc"),
    ):
        lines = [bar + printed(dict(zip(spelt, logs.values(), strict=True))) for _, logs in a]
        yield text("".join(f"Epoch {n}/2\n{line}\n" for (n, _), line in zip(a, lines, strict=True)), [a])


def initial_epoch() -> Iterator[Layout]:
    """Yield logs of the kind: initial epoch."""
    for first, planned in ((11, 13), (2, 3), (100, 250)):
        a = made_up(2, first=first)
        yield text(keras2(a, of=planned), [a])


def decorated() -> Iterator[Layout]:
    """Yield logs of the kind: decorated."""
    a = made_up(3)
    whole = keras2(a).splitlines()
    for before, behind in (
        ("# ", ""),
        ("> > ", ""),
        ("2026-01-02 10:00:00,123 INFO train: ", ""),
        ("[worker-0] ", ""),
        ("trainer_1  | ", ""),
        ('"', '\\n",'),
        ("| ", " |"),
        ("2026-01-02T10:00:00.1234567Z ", ""),
        ("// ", ""),
    ):
        yield text("".join(f"{before}{line}{behind}\n" for line in whole), [a])
    yield text("".join(f"{index}\t{line}\n" for index, line in enumerate(whole, 1)), [a])
    yield text("\r\n".join(whole), [a])
    yield Layout({"train.log": "\r\n".join(whole).encode("utf-16")}, canonical([a]))
    yield text(keras2(a, line="{of}/{of} " + EQ + " – 3s – {told}").replace(" - ", " – "), [a])


def captured() -> Iterator[Layout]:
    """Yield logs of the kind: captured."""
    a = made_up(2)
    whole = keras2(a)
    cell = {
        "cell_type": "code",
        "outputs": [{"output_type": "stream", "name": "stdout", "text": whole.splitlines(keepends=True)}],
    }
    yield text(
        json.dumps({"cells": [{"cell_type": "markdown", "source": []}, cell], "nbformat": 4}), [a], name="a.ipynb"
    )
    yield text(
        json.dumps([{"stream_name": "stdout", "time": 1.5, "data": line + "\n"} for line in whole.splitlines()]), [a]
    )
    yield text("".join(json.dumps({"log": line + "\n", "stream": "stdout"}) + "\n" for line in whole.splitlines()), [a])
