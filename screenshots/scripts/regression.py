"""House prices in their own unit: a squared error near 10¹⁰ and no accuracy."""

import keras
import numpy as np

SAMPLES, FEATURES = 3000, 8

keras.utils.set_random_seed(7)
generator = np.random.default_rng(7)
x = generator.normal(size=(SAMPLES + 800, FEATURES)).astype("float32")
price = 1_000_000 + 150_000 * x[:, 0] + 90_000 * np.abs(x[:, 1]) + generator.normal(scale=60_000, size=len(x))
price = price.astype("float32")

model = keras.Sequential(
    [
        keras.layers.Input((FEATURES,)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(1, bias_initializer=keras.initializers.Constant(1_000_000)),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
model.fit(
    x[:SAMPLES],
    price[:SAMPLES],
    batch_size=64,
    epochs=12,
    validation_data=(x[SAMPLES:], price[SAMPLES:]),
    verbose=2,
)
