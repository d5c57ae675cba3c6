"""A model with far more weights than its 400 noisy samples can hold down: it learns them by heart."""

import keras
import numpy as np

SAMPLES, FEATURES = 400, 30

keras.utils.set_random_seed(3)
generator = np.random.default_rng(3)
x = generator.normal(size=(SAMPLES + 1000, FEATURES)).astype("float32")
y = (x[:, :5].sum(axis=1) + generator.normal(scale=2.0, size=len(x)) > 0).astype("float32")

model = keras.Sequential(
    [
        keras.layers.Input((FEATURES,)),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(
    x[:SAMPLES],
    y[:SAMPLES],
    batch_size=16,
    epochs=20,
    validation_data=(x[SAMPLES:], y[SAMPLES:]),
    verbose=2,
)
