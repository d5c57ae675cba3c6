"""A time limit by SIGALRM, as libraries set it: what the handler raises must reach the script, whatever runs then.

Two things are no script's to rely on, and would differ from one bare run to the next. TensorFlow's context managers
leave their scope open if they are interrupted halfway: a limit that falls into one waits for a moment. And what is
raised while Python collects garbage, or calls back from some code in C, is dropped or becomes another error, in any
process: such a limit is set again.
"""

import signal
import time

import keras
import numpy as np

TRIES = 5


def late(number, frame):
    while frame is not None:
        if frame.f_code.co_name in ("__enter__", "__exit__"):
            signal.setitimer(signal.ITIMER_REAL, 0.001)
            return
        frame = frame.f_back
    raise TimeoutError("too long")


class Limit(keras.callbacks.Callback):
    """Sets the alarm after validation, when an epoch's end is next; trains for three seconds at most without it."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds, self.begun = seconds, 0.0

    def on_test_end(self, logs=None):
        if not self.begun:
            self.begun = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def on_train_batch_end(self, batch, logs=None):
        if self.begun and time.monotonic() - self.begun > 3:
            self.model.stop_training = True


before = signal.signal(signal.SIGALRM, late)
x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
y = np.arange(64) % 3
for seconds in (0.12, 0.06, 0.02):
    reached = False
    for _ in range(TRIES):
        model = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(3, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        try:
            model.fit(x, y, epochs=10**6, validation_data=(x, y), callbacks=[Limit(seconds)], verbose=0)
        except TimeoutError:
            reached = True
            break
        except Exception:
            pass
    print(f"the limit of {seconds} s ended the training:", reached)
signal.signal(signal.SIGALRM, before)
