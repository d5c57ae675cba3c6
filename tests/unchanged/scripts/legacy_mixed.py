"""Legacy Keras: dropout masks of fits mixed with loops by hand, a recurrent layer, and a list of callbacks."""

import numpy as np
import tf_keras as keras

x = np.random.default_rng(0).normal(size=(64, 5, 2)).astype("float32")
y = np.arange(64) % 3


def train(layer, **compiled):
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.layers.Input((5, 2)), layer, keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], **compiled)
    for _ in range(2):
        print(model.train_on_batch(x[:32], y[:32]), model.fit(x, y, validation_data=(x, y), verbose=0).history)
    print(model.evaluate(x, y, verbose=0), model.train_function is None, model.test_function is None)
    return model


train(keras.Sequential([keras.layers.Flatten(), keras.layers.Dropout(0.5)]))
model = train(keras.layers.GRU(3))
listed = keras.callbacks.CallbackList([keras.callbacks.Callback()], add_history=True, model=model)
model.fit(x, y, callbacks=listed, verbose=0)
print([type(callback).__name__ for callback in listed.callbacks], int(model._train_counter))
