"""Trains a tiny model in every manner of printing and logging; run as `real_training.py keras|tf_keras FOLDER`."""

import importlib
import json
import os
import pty
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

EPOCHS = 3


def main() -> None:
    """Write, for each manner, `NAME.log` with what was printed and `NAME.json` with `History.history`."""
    package, folder = sys.argv[1], Path(sys.argv[2])
    keras = importlib.import_module(package)
    callbacks = importlib.import_module(f"{package}.callbacks")
    keras.utils.enable_interactive_logging()
    _fit(keras, folder, "pty", _to_pty)
    _fit(keras, folder, "pipe", _to_pipe)
    _fit(keras, folder, "lines", _to_pipe, verbose=2)
    _fit(
        keras, folder, "checkpoint", _to_pipe, callbacks=[callbacks.ModelCheckpoint(str(folder / "m.keras"), verbose=1)]
    )
    _fit(keras, folder, "generator", _to_pipe, unknown_length=True)
    logged = [
        callbacks.CSVLogger(str(folder / "comma.csv")),
        callbacks.CSVLogger(str(folder / "semicolon.csv"), separator=";"),
        callbacks.TensorBoard(str(folder / "events"), update_freq="batch", write_graph=False),
    ]
    _fit(keras, folder, "logged", _to_pipe, verbose=0, callbacks=logged)


def _fit(
    keras: Any,
    folder: Path,
    name: str,
    redirected: Callable[[Path, Callable[[], Any]], Any],
    *,
    unknown_length: bool = False,
    **options: Any,
) -> None:
    import numpy as np

    keras.utils.set_random_seed(7)
    random = np.random.default_rng(7)
    x, y = random.normal(size=(150, 4)).astype("float32"), random.integers(0, 2, 150)
    model = keras.Sequential([keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    data: tuple[Any, ...] = (x[:100], y[:100])
    if unknown_length:
        import tensorflow as tf

        batches = tf.data.Dataset.from_tensor_slices((x[:100], y[:100])).batch(16)
        data = (batches.filter(lambda _x, _y: True),)
    else:
        options["batch_size"] = 16
    history = redirected(
        folder / f"{name}.log",
        lambda: model.fit(*data, epochs=EPOCHS, validation_data=(x[100:], y[100:]), **{"verbose": 1, **options}),
    )
    logged = {metric: [float(value) for value in values] for metric, values in history.history.items()}
    (folder / f"{name}.json").write_text(json.dumps(logged))


def _to_pipe(path: Path, train: Callable[[], Any]) -> Any:
    source, target = os.pipe()
    return _captured(path, train, source, target)


def _to_pty(path: Path, train: Callable[[], Any]) -> Any:
    source, target = pty.openpty()
    return _captured(path, train, source, target)


def _captured(path: Path, train: Callable[[], Any], source: int, target: int) -> Any:
    """Train with standard output led to one end, and keep what comes out at the other."""
    with path.open("wb") as file:
        thread = threading.Thread(target=_copy, args=(source, file))
        thread.start()
        kept = os.dup(1)
        sys.stdout.flush()
        os.dup2(target, 1)
        os.close(target)
        try:
            return train()
        finally:
            sys.stdout.flush()
            os.dup2(kept, 1)
            thread.join()


def _copy(source: int, file: Any) -> None:
    while True:
        try:
            content = os.read(source, 65536)
        except OSError:
            return
        if not content:
            return
        file.write(content)


if __name__ == "__main__":
    main()
