"""Five epochs as Keras prints them, and the values in them."""

BAR = "67/67 [==============================] - 3s 45ms/step"


NAMES = ("loss", "acc", "val_loss", "val_acc")


PRINTED = (
    ("0.6905", "0.7912", "0.5441", "0.7760"),
    ("0.6452", "0.8302", "0.5231", "0.7863"),
    ("0.6356", "0.8289", "0.4981", "0.7760"),
    ("0.6281", "0.8310", "0.4922", "0.7760"),
    ("0.6190", "0.8334", "0.4873", "0.7781"),
)


QUESTION = "".join(
    f"Epoch {number}/5\n{BAR} - " + " - ".join(map(": ".join, zip(NAMES, row, strict=True))) + "\n"
    for number, row in enumerate(PRINTED, 1)
)


EXPECTED = [
    (number, {name: float(text) for name, text in zip(NAMES, row, strict=True)})
    for number, row in enumerate(PRINTED, 1)
]


def _keras_3_bar(done: int, metrics_text: str, time: str) -> str:
    full = "━" * (20 * done // 67)
    rest = "━" * (20 - len(full))
    return (
        f"\x1b[1m{done:2}/67\x1b[0m \x1b[32m{full}\x1b[0m\x1b[37m{rest}\x1b[0m "
        f"\x1b[1m{time}\x1b[0m 45ms/step - {metrics_text}"
    )


def keras_3_text(prefix: str) -> str:
    """Return the five epochs as Keras 3 rewrites its bars.

    Args:
        prefix: what leads back to the begin of a bar.
    """
    text = ""
    for number, row in enumerate(PRINTED, 1):
        training = f"acc: {row[1]} - loss: {row[0]}"
        text += f"Epoch {number}/5\n"
        text += prefix + _keras_3_bar(12, "acc: 0.5000 - loss: 0.9999", "2s")
        text += prefix + _keras_3_bar(67, training, "0s")
        text += prefix + _keras_3_bar(67, f"{training} - val_acc: {row[3]} - val_loss: {row[2]}", "3s") + "\n"
    return text
