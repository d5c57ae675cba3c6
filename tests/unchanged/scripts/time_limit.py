"""A time limit by SIGALRM, as libraries set it: what the handler raises must reach the script, whatever runs then.

Python itself drops what is raised while it collects garbage, in any process; such a limit is set again.
"""

import signal
import sys
import time

import keras
import numpy as np


def late(number, frame):
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
dropped = []
sys.unraisablehook, hook = dropped.append, sys.unraisablehook
reached, limits = 0, [0.02, 0.06, 0.12]
while limits:
    seconds, before_it = limits.pop(), len(dropped)
    model = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    try:
        model.fit(x, y, epochs=10**6, validation_data=(x, y), callbacks=[Limit(seconds)], verbose=0)
    except TimeoutError:
        reached += 1
    else:
        limits += [seconds] * (len(dropped) > before_it)
print("limits that ended the training, of 3:", reached)
sys.unraisablehook = hook
signal.signal(signal.SIGALRM, before)
