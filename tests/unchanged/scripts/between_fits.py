"""Fits mixed with loops by hand and with changes that only a new compile makes known: the functions of before go on."""

import keras
import numpy as np

keras.utils.set_random_seed(5)
x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
y = np.arange(64) % 3
layers = [keras.layers.Input((6,)), keras.layers.Dropout(0.3), keras.layers.Dense(3, "softmax")]
model = keras.Sequential(layers)
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
for _ in range(2):
    print(model.train_on_batch(x[:32], y[:32], return_dict=True), model.fit(x, y, verbose=0).history)
    print(model.evaluate(x, y, verbose=0), float(np.sum(model.get_weights()[0])).hex())
model.trainable = False
print(model.fit(x, y, verbose=0).history, float(np.sum(model.get_weights()[0])).hex())
model.run_eagerly = True
print(model.fit(x, y, verbose=0).history, float(np.sum(model.get_weights()[0])).hex())
batches = iter([(x[:32], y[:32])])
print(sorted(name for name in model.train_function(batches)) if model.train_function else "no function is left")
