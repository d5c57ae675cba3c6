"""A process that closes every descriptor it did not open itself, as daemons do, and goes on to train."""

import os
import tempfile
from pathlib import Path

import keras
import numpy as np

os.closerange(3, 64)
folder = Path(tempfile.mkdtemp())
files = [(folder / str(number)).open("w") for number in range(40)]
x = np.ones((32, 4), "float32")
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(x, x[:, :1], epochs=2, verbose=0)
for file in files:
    file.close()
print("bytes in files that the script never wrote to:", sum(path.stat().st_size for path in folder.iterdir()))
