"""What callbacks are told, in order and type, and who else is among them."""

import keras
import numpy as np

keras.utils.set_random_seed(5)
x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")


class Tells(keras.callbacks.Callback):
    def set_params(self, params):
        print("params", sorted(params.items()))
        super().set_params(params)


def hook(name):
    def tell(self, *place, logs=None):
        if place and isinstance(place[-1], dict):
            *place, logs = place
        values = {key: (type(value).__name__, float(value).hex()) for key, value in (logs or {}).items()}
        print(name, list(place), type(logs).__name__, values)

    return tell


for name in dir(keras.callbacks.Callback):
    if name.startswith("on_") and "predict" not in name:
        setattr(Tells, name, hook(name))
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
history = model.fit(x, x[:, :1], epochs=2, batch_size=16, validation_data=(x, x[:, :1]), callbacks=[Tells()], verbose=0)
print(history.params, history.epoch, history is model.history)
names = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: print([type(c).__name__ for c in listed.callbacks]))
listed = keras.callbacks.CallbackList([Tells(), names], add_history=True, model=model, epochs=1, steps=2)
model.fit(x, x[:, :1], batch_size=16, callbacks=listed, verbose=0)
print([type(callback).__name__ for callback in listed.callbacks])
