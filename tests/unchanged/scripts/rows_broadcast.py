"""Outputs with another number of rows than the targets, which a loss broadcasts: no row may be paired with a sample."""

import keras
import numpy as np
import tensorflow as tf
import tf_keras

rng = np.random.default_rng(0)
x, y = rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")
dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(2)
for package in (keras, tf_keras):
    for steps in (1, 2):
        keras.utils.set_random_seed(3)
        tf_keras.utils.set_random_seed(3)
        inputs = package.layers.Input((3,), batch_size=2)
        mean = package.layers.Lambda(lambda x: tf.reduce_mean(x, axis=0, keepdims=True), output_shape=(3,))(inputs)
        model = package.Model(inputs, package.layers.Dense(1)(mean))
        model.compile("sgd", "mse", steps_per_execution=steps)
        history = model.fit(dataset, epochs=2, validation_data=dataset, verbose=0).history
        print({name: [float(value).hex() for value in values] for name, values in history.items()})
        print(float(model.evaluate(dataset, verbose=0)).hex(), [weight.tolist() for weight in model.get_weights()])
