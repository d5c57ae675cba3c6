import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(1)
x, y = np.random.default_rng(0).normal(size=(40, 4)).astype("float32"), np.arange(40) % 3
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dropout(0.3), keras.layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
with tf.GradientTape(persistent=True) as tape:
    history = model.fit(x, y, validation_split=0.2, epochs=2, batch_size=16, verbose=0).history
print({name: [value.hex() for value in values] for name, values in history.items()})
print(sorted(variable.name for variable in tape.watched_variables()))
print([float(tf.reduce_sum(weight)).hex() for weight in model.get_weights()])
