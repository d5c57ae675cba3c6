"""One sample in twenty is positive, and class weights make up for it in training alone."""

import keras
import numpy as np

SAMPLES, FEATURES, POSITIVE = 6000, 10, 0.05

keras.utils.set_random_seed(17)
generator = np.random.default_rng(17)
y = (generator.random(SAMPLES + 2000) < POSITIVE).astype("float32")
x = generator.normal(size=(len(y), FEATURES)).astype("float32")
x[:, :3] += 1.1 * y[:, None]

model = keras.Sequential(
    [
        keras.layers.Input((FEATURES,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(name="auc")])
model.fit(
    x[:SAMPLES],
    y[:SAMPLES],
    batch_size=32,
    epochs=8,
    validation_data=(x[SAMPLES:], y[SAMPLES:]),
    class_weight={0: 1.0, 1: 19.0},
    verbose=2,
)
