"""Arguments, errors and rates of the script's own classes, which print what is asked of them, and a function copied."""

import copy
import pickle

import keras
import numpy as np
import tf_keras

x = np.zeros((8, 4), "float32")
y = x[:, :1]


class Listed(list):
    def __len__(self):
        print("length asked")
        return super().__len__()

    def __iter__(self):
        print("parts asked")
        return super().__iter__()


class Weights(dict):
    def values(self):
        print("values asked")
        return super().values()


class Count(int):
    def __eq__(self, other):
        print("compared")
        return int(self) == other

    __hash__ = int.__hash__


class Label(int):
    def __str__(self):
        print("text of a label asked")
        return "label"


class OddError(Exception):
    def __str__(self):
        print("text of an error asked")
        return "odd"


class Raises(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise OddError


class Rated(tf_keras.optimizers.SGD):
    @property
    def learning_rate(self):
        print("rate asked")
        return super().learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        tf_keras.optimizers.Optimizer.learning_rate.fset(self, value)


model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
for name, arguments in {
    "x": {"x": Listed([x])},
    "validation": {"x": x, "validation_data": Listed([x, y])},
    "weights": {"x": x, "class_weight": Weights({0: 1.0})},
    "labels": {"x": x, "class_weight": {Label(0): 1.0}},
    "counts": {"x": x, "epochs": Count(1), "batch_size": Count(4)},
    "error": {"x": x, "callbacks": [Raises()]},
}.items():
    print(name)
    try:
        model.fit(**arguments, y=y if "weight" not in str(list(arguments)) else y.astype(int), verbose=0)
    except Exception as error:
        print(type(error).__name__)
model = tf_keras.Sequential([tf_keras.layers.Input((4,)), tf_keras.layers.Dense(1)])
model.compile(Rated(0.1), "mse")
print("rate")
model.fit(x, y, epochs=2, verbose=0)
for copied in (copy.copy, copy.deepcopy, pickle.dumps):
    try:
        print(type(copied(model.train_function)).__name__)
    except Exception as error:
        print(type(error).__name__, error)
