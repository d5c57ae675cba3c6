"""Steps that return what no step should, and calls of fit that are wrong: Keras' own errors, or none."""

import keras
import numpy as np

x = np.ones((16, 4), "float32")


class Model(keras.Model):
    def call(self, x):
        return x

    def train_step(self, data):
        return self.result


def attempt(name, function):
    try:
        print(name, function().history)
    except Exception as error:
        print(name, type(error).__name__, str(error).split("\n")[0][:80], type(error.__context__).__name__)


for result in (None, 3.0, {}, {"loss": "text"}, {"a": {"b": 1.0}}, {"loss": 1}):
    model = Model()
    model.result = result
    model.compile("sgd", "mse")
    attempt(f"returns {result}", lambda model=model: model.fit(x, x, verbose=0))
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
attempt("not compiled", lambda: model.fit(x, x, verbose=0))
model.compile("sgd", "mse")
attempt("unknown argument", lambda: model.fit(x, x, verbose=0, foo=1))
attempt("given twice", lambda: model.fit(x, x, x=x))
attempt("no callback", lambda: model.fit(x, x, verbose=0, callbacks=[3]))
