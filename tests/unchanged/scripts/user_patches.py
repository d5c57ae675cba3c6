"""A script that has its own opinion of Keras: a patched mean, a rate that is read, a signature that is looked at."""

import inspect
import signal

import keras
import numpy as np

x = np.ones((32, 4), "float32")
original, calls = keras.metrics.Mean.update_state, []


def update_state(self, values, sample_weight=None):
    calls.append(1)
    return original(self, values, sample_weight)


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        print("rate asked")
        return 0.1

    def get_config(self):
        return {}


keras.metrics.Mean.update_state = update_state
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(Schedule()), "mse", run_eagerly=True)
model.fit(x, x[:, :1], epochs=2, verbose=0)
print(keras.metrics.Mean.update_state is update_state, len(calls))
keras.metrics.Mean.update_state = original
print(inspect.getfullargspec(keras.optimizers.SGD.__init__).args, keras.optimizers.SGD.__init__.__code__.co_name)
print(inspect.signature(keras.Model.fit), signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
