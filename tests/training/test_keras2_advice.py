"""A script that uses what Keras 3 dropped is told in one sentence what to write instead."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tui_monitor.training.keras2.advice import advice_for
from tui_monitor.training.keras2.names import KEPT_BY_LEGACY, MODULES, NAMES

GONE = {
    "from keras.utils import np_utils": "from keras.utils import to_categorical",
    "import keras.utils.np_utils": "from keras.utils import to_categorical",
    "from tensorflow.keras.utils import np_utils": "from keras.utils import to_categorical",
    "keras.utils.np_utils.to_categorical": "from keras.utils import to_categorical",
    "from keras.layers.normalization import BatchNormalization": "from keras.layers import",
    "from keras.layers.merge import concatenate": "from keras.layers import concatenate",
    "from keras.layers import CuDNNLSTM": "keras.layers.LSTM",
    "tf.keras.layers.CuDNNGRU(3)": "keras.layers.GRU",
    "from keras.engine.topology import Layer": "from keras.layers import Layer",
    "keras.engine": "from keras.layers import Layer",
    "from keras.preprocessing.image import ImageDataGenerator": "from tensorflow.keras.preprocessing.image import",
    "from keras.preprocessing.text import Tokenizer": "from tensorflow.keras.preprocessing.text import Tokenizer",
    "from keras.backend.tensorflow_backend import set_session": "nothing",
    "keras.backend.get_session()": "set_memory_growth",
    "tf.keras.backend.get_session()": "set_memory_growth",
    "keras.backend.mean(1.0)": "keras.ops.mean",
    "keras.backend.learning_phase()": "training",
    "keras.losses.mse": "keras.losses.mean_squared_error",
    "tf.Session()": "there are no sessions",
    "tf.placeholder(tf.float32)": "tf.compat.v1.placeholder",
    "tf.train.AdamOptimizer(0.1)": "tf.compat.v1.train.AdamOptimizer",
    "model.predict_classes(x)": "argmax(axis=-1)",
    "model.layers[0].output_shape": "layer.output.shape",
    "model.optimizer.lr": "optimizer.learning_rate",
    "model.fit(x, x, nb_epoch=3)": "epochs",
    "model.fit(x, x, workers=3)": "PyDataset",
    "model.evaluate(x, x, workers=3)": "PyDataset",
    "keras.layers.Dense(output_dim=3)": "units",
    "keras.layers.Dense(3, init='uniform')": "kernel_initializer",
    "keras.layers.Conv2D(3, 3, border_mode='same')": "padding",
    "keras.layers.Dropout(p=0.5)": "rate",
    "keras.layers.LSTM(3, batch_input_shape=(1, 2, 3))": "Input(batch_shape=…)",
    "keras.Model(input=model.inputs, output=model.outputs)": "inputs",
    "keras.callbacks.ModelCheckpoint('best.keras', period=2)": "save_freq",
    "model.fit(x, x, verbose=0).history['acc']": "history['accuracy']",
}
"""Code of 2018 to words that the sentence must hold."""


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """Return what the code of 2018 refers to."""
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["accuracy"])
    return {"keras": keras, "tf": tf, "model": model, "x": np.zeros((4, 2))}


@pytest.mark.parametrize("code", GONE)
def test_the_sentence_names_what_to_write(names: dict[str, Any], code: str) -> None:
    """For the error that Keras 3 itself raises there is one sentence, with the replacement in it."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever Keras raises
        exec(code, dict(names))
    sentence = advice_for(raised.value)
    assert sentence is not None
    assert GONE[code] in sentence
    assert sentence.startswith("Keras 3 ")


@pytest.mark.parametrize(
    "code",
    [
        "import no_such_package",
        "{}['loss']",
        "model.no_such_thing",
        "(lambda **words: words)(1)",
        "(lambda x: x)(lr=3)",
        "keras.layers.NoSuchLayer(3)",
        "model.fit(x, x[:1], verbose=0)",
        "tf.no_such_function()",
    ],
)
def test_other_errors_get_no_sentence(names: dict[str, Any], code: str) -> None:
    """An error of the script's own is left to its traceback."""
    with pytest.raises(Exception) as raised:  # noqa: PT011
        exec(code, dict(names))
    assert advice_for(raised.value) is None


def _is_there(package: Any, name: str) -> bool:
    found = package
    for part in name.split(".")[1:]:
        found = getattr(found, part, None)
    return found is not None


def test_the_table_is_true_of_both_kerases() -> None:
    """Each name of the table is gone from Keras 3, and in legacy Keras exactly where the table says so."""
    import tf_keras

    named = {name for name in (*MODULES, *NAMES) if name.startswith("keras.") and name != "keras.backend"}
    assert [name for name in sorted(named) if _is_there(keras, name)] == []
    kept = {name for name in named if _is_there(tf_keras, name)}
    assert kept == named & KEPT_BY_LEGACY
