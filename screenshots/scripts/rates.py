"""A small classifier of two moons, trained at the learning rate and width that it is given."""

import argparse

import keras
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.003)
parser.add_argument("--units", type=int, default=16)
given = parser.parse_args()
keras.utils.set_random_seed(3)
generator = np.random.default_rng(1)

label = generator.integers(0, 2, 3000)
angle = generator.uniform(0, np.pi, 3000)
points = np.column_stack([np.cos(angle) + label, np.where(label == 1, -1, 1) * np.sin(angle) + 0.4 * label])
points = (points + generator.normal(0, 0.25, points.shape)).astype("float32")
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(given.units, "relu"), keras.layers.Dense(1, "sigmoid")])
model.compile(keras.optimizers.Adam(given.lr), "binary_crossentropy", metrics=["accuracy"])
validation = points[2000:], label[2000:]
model.fit(points[:2000], label[:2000], validation_data=validation, batch_size=32, epochs=12, verbose=0)
