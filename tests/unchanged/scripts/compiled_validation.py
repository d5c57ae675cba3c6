"""Steps that XLA compiles: a value that is also read is fused, and so rounded, otherwise."""

import keras
import numpy as np

x = np.random.default_rng(0).normal(size=(200, 20)).astype("float32")
CASES = {
    "binary_crossentropy": ("sigmoid", "sgd", (x[:, :1] > 0).astype("float32"), {"metrics": ["accuracy"]}),
    "huber": (None, "adam", x[:, :4], {"weighted_metrics": ["mae"]}),
    "mse": (None, "sgd", x[:, :3], {"metrics": ["mse"]}),
}
keras.utils.set_random_seed(1)
for loss, (activation, optimizer, y, metrics) in CASES.items():
    hidden, output = keras.layers.Dense(37, activation="relu"), keras.layers.Dense(y.shape[1], activation=activation)
    model = keras.Sequential([keras.layers.Input((20,)), hidden, output])
    model.compile(optimizer, loss, jit_compile=True, **metrics)
    history = model.fit(x, y, batch_size=32, epochs=3, validation_data=(x[:67], y[:67]), verbose=0).history
    print(loss, {name: [value.hex() for value in values] for name, values in history.items()})
    print(loss, [float(np.sum(weight, dtype=np.float64)).hex() for weight in model.get_weights()])
