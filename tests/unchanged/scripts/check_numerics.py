"""TensorFlow asked to stop at the first NaN or infinity: there is none in this training."""

import keras
import numpy as np
import tensorflow as tf

tf.debugging.enable_check_numerics()
keras.utils.set_random_seed(5)
x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
model = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
print(model.fit(x, x[:, :1], epochs=2, batch_size=32, validation_data=(x, x[:, :1]), verbose=0).history)
tf.debugging.disable_check_numerics()
