"""A fit whose within-class term can be opened in all parts: copies, another scale, batch norm beside dropout, noise."""

import random

import keras
import numpy as np

keras.utils.set_random_seed(5)
random.seed(7)
np.random.seed(8)
generator = np.random.default_rng(0)
y = generator.integers(0, 3, 900)
x = (np.eye(3, 8)[y] * 2 + generator.normal(size=(900, 8))).astype("float32")
validation_x, validation_y = x[600:].copy(), y[600:].copy()
validation_x[:60], validation_y[:60] = x[:60], y[:60]

model = keras.Sequential(
    [
        keras.layers.Input((8,)),
        keras.layers.GaussianNoise(0.1),
        keras.layers.Dense(16),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
for scale in (1, 255):
    data = (validation_x * scale, validation_y)
    history = model.fit(x[:600], y[:600], epochs=3, batch_size=25, validation_data=data, verbose=0)
    for name, values in history.history.items():
        print(name, [float(value).hex() for value in values])
for weight in model.get_weights():
    print(weight.dtype, float(np.sum(weight)).hex(), float(np.sum(weight**2)).hex())
for variable in model.optimizer.variables:
    print(variable.name, float(np.sum(np.asarray(variable.numpy(), np.float64))).hex())
print(random.random().hex(), float(np.random.random()).hex())
