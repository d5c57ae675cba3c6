"""The first epochs of a long training: forty are planned."""

import keras
import numpy as np

SAMPLES, FEATURES, CLASSES = 6000, 32, 5

keras.utils.set_random_seed(19)
generator = np.random.default_rng(19)
labels = generator.integers(0, CLASSES, SAMPLES + 1500)
centres = generator.normal(scale=0.6, size=(CLASSES, FEATURES))
x = (centres[labels] + generator.normal(size=(len(labels), FEATURES))).astype("float32")

model = keras.Sequential(
    [
        keras.layers.Input((FEATURES,)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.4),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.0005), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    x[:SAMPLES],
    labels[:SAMPLES],
    batch_size=16,
    epochs=40,
    validation_data=(x[SAMPLES:], labels[SAMPLES:]),
    verbose=2,
)
