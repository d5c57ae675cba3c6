"""Batch normalisation with a slow running average: training normalises by the batch, validation by old statistics."""

import keras
import numpy as np

SAMPLES, FEATURES, CLASSES = 4000, 20, 4

keras.utils.set_random_seed(5)
generator = np.random.default_rng(5)
labels = generator.integers(0, CLASSES, SAMPLES + 1000)
centres = generator.normal(scale=1.2, size=(CLASSES, FEATURES))
x = (5.0 + centres[labels] + generator.normal(scale=1.5, size=(len(labels), FEATURES))).astype("float32")

model = keras.Sequential(
    [
        keras.layers.Input((FEATURES,)),
        keras.layers.Dense(64),
        keras.layers.BatchNormalization(momentum=0.999),
        keras.layers.Activation("relu"),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    x[:SAMPLES],
    labels[:SAMPLES],
    batch_size=32,
    epochs=8,
    validation_data=(x[SAMPLES:], labels[SAMPLES:]),
    verbose=2,
)
