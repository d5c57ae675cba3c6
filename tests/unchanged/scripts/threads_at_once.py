"""Several fits in threads at once, of both Kerases, each with a model, logs and random numbers of its own."""

import threading

import keras
import numpy as np
import tf_keras

FITS = 2


def build(package, number):
    package.utils.set_random_seed(number)
    layers, first = package.layers, package.initializers.GlorotUniform(number)
    model = package.Sequential([layers.Dense(3, kernel_initializer=first), layers.Dense(1, "sigmoid")])
    model.build((None, 4))
    model.compile(package.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"])
    return model


def fit(number):
    try:
        given = {"batch_size": 16 + 8 * number, "validation_data": (X, Y), "shuffle": False, "verbose": 0}
        histories[number] = models[number].fit(X, Y, epochs=2, **given).history
    except Exception as error:
        histories[number] = {"error": [repr(error)]}


X = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("float32")
models = [build(package, number) for package in (keras, tf_keras) for number in range(FITS)]
histories = [{} for _ in models]
threads = [threading.Thread(target=fit, args=(number,)) for number in range(len(models))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for model, history in zip(models, histories):
    print(
        {name: [value if isinstance(value, str) else float(value).hex() for value in history[name]] for name in history}
    )
    print([weights.tobytes().hex()[:40] for weights in model.get_weights()])
