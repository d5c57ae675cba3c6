"""Layers whose graphs do what no variable shows: print, fill a table, call Python, write a summary."""

import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.util import event_pb2

x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
y = np.arange(64) % 3
table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.int64, 0)
seen, random = [], np.random.default_rng(3)
folder = tempfile.mkdtemp()
writer = tf.summary.create_file_writer(folder)


def noise(values):
    seen.append(len(values))
    return values + random.normal(size=values.shape).astype("float32") * 0.1


class Prints(keras.layers.Layer):
    def call(self, x, training=False):
        tf.print("batch of", tf.shape(x)[0], training, output_stream=sys.stdout)
        return x


class Counts(keras.layers.Layer):
    def call(self, x, training=False):
        key = tf.constant([int(training)], tf.int64)
        table.insert(key, table.lookup(key) + 1)
        return x


class CallsPython(keras.layers.Layer):
    def call(self, x, training=False):
        return tf.ensure_shape(tf.numpy_function(noise, [x], tf.float32), x.shape) if training else x


class Summarises(keras.layers.Layer):
    def call(self, x):
        with writer.as_default():
            tf.summary.scalar("mean", tf.reduce_mean(x), step=0)
        return x


for layer in (Prints(), Counts(), CallsPython(), Summarises()):
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.layers.Input((6,)), layer, keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(x, y, epochs=2, batch_size=32, validation_data=(x, y), verbose=0).history
    sys.stdout.flush()
    print(type(layer).__name__, history, flush=True)
print(table.lookup(tf.constant([0, 1], tf.int64)).numpy(), seen)
writer.flush()
records = [record for path in Path(folder).iterdir() for record in tf.data.TFRecordDataset(str(path))]
print(sum(len(event_pb2.Event.FromString(record.numpy()).summary.value) for record in records))
