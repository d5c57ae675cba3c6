"""The models of the table: tiny, seeded by whoever builds them."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops


def dense(units: int, activation: str | None, loss: Any, metrics: Any, **compiling: Any) -> keras.Model:
    """Return one hidden layer without randomness."""
    model = keras.Sequential([layers.Input((4,)), layers.Dense(5, "relu"), layers.Dense(units, activation)])
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=metrics, **compiling)
    return model


def _compiled(model: keras.Model, **compiling: Any) -> keras.Model:
    defaults = {"loss": "binary_crossentropy", "metrics": ["accuracy"]}
    model.compile(keras.optimizers.SGD(0.1), **{**defaults, **compiling})
    return model


class Subclassed(keras.Model):  # type: ignore[misc]
    """Two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = layers.Dense(5, "relu"), layers.Dense(1, "sigmoid")

    def call(self, x: Any) -> Any:
        """Return the outputs."""
        return self.out(self.hidden(x))


def subclassed() -> keras.Model:
    """Return a model built when it is first called."""
    return _compiled(Subclassed())


def two_inputs() -> keras.Model:
    """Return a model of two inputs."""
    a, b = keras.Input((2,)), keras.Input((2,))
    return _compiled(keras.Model([a, b], layers.Dense(1, "sigmoid")(layers.Concatenate()([a, b]))))


def normed() -> keras.Model:
    """Return a model with batch normalisation."""
    return _compiled(keras.Sequential([layers.Input((4,)), layers.BatchNormalization(), layers.Dense(1, "sigmoid")]))


def dropped() -> keras.Model:
    """Return a model with dropout."""
    return _compiled(keras.Sequential([layers.Input((4,)), layers.Dropout(0.4), layers.Dense(1, "sigmoid")]))


def penalised() -> keras.Model:
    """Return a model whose weights cost."""
    return _compiled(
        keras.Sequential(
            [layers.Input((4,)), layers.Dense(1, "sigmoid", kernel_regularizer=keras.regularizers.L2(0.1))]
        )
    )


class Largest(keras.metrics.Metric):  # type: ignore[misc]
    """The largest error so far: no mean."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.largest = self.add_weight(name="largest", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch."""
        error = ops.abs(ops.reshape(y_true, (-1, 1)) - y_pred)
        self.largest.assign(ops.maximum(self.largest, ops.max(error)))

    def result(self) -> Any:
        """Return it."""
        return self.largest + 0.0


def tagger(
    *,
    mask: bool,
    units: int = 3,
    activation: str | None = "softmax",
    loss: str = "sparse_categorical_crossentropy",
    metrics: Any = ("accuracy",),
) -> keras.Model:
    """Return a model with an output for each of five time steps."""
    parts = [layers.Embedding(9, 4, mask_zero=mask), layers.SimpleRNN(4, return_sequences=True)]
    model = keras.Sequential([layers.Input((5,)), *parts, layers.Dense(units, activation)])
    return _compiled(model, loss=loss, metrics=list(metrics))


def spelled() -> keras.Model:
    """Return a model that is trained to give a sequence of labels, wherever they stand."""
    parts = [layers.Embedding(9, 4), layers.SimpleRNN(4, return_sequences=True), layers.Dense(4)]
    return _compiled(keras.Sequential([layers.Input((5,)), *parts]), loss=keras.losses.CTC(), metrics=None)


def segmenter(loss: str = "binary_crossentropy", metrics: Any = ("accuracy",)) -> keras.Model:
    """Return a model with an output for each pixel."""
    activation = "sigmoid" if loss == "binary_crossentropy" else None
    model = keras.Sequential([layers.Input((4, 4, 1)), layers.Conv2D(1, 3, padding="same", activation=activation)])
    return _compiled(model, loss=loss, metrics=list(metrics))


def _heads() -> tuple[Any, Any, Any]:
    inputs = keras.Input((4,))
    hidden = layers.Dense(5, "relu")(inputs)
    return inputs, layers.Dense(1, "sigmoid", name="sure")(hidden), layers.Dense(1, name="size")(hidden)


def named() -> keras.Model:
    """Return a model of one output under a name."""
    inputs, sure, _ = _heads()
    return _compiled(
        keras.Model(inputs, {"sure": sure}), loss={"sure": "binary_crossentropy"}, metrics={"sure": ["accuracy"]}
    )


def half_lossless() -> keras.Model:
    """Return a model one of whose outputs has no loss."""
    inputs, sure, size = _heads()
    return _compiled(keras.Model(inputs, [sure, size]), loss=["binary_crossentropy", None], metrics=None)


def two_outputs() -> keras.Model:
    """Return a model with two losses of different kinds."""
    inputs, sure, size = _heads()
    return _compiled(
        keras.Model(inputs, {"sure": sure, "size": size}),
        loss={"sure": "binary_crossentropy", "size": "mse"},
        loss_weights={"sure": 1.0, "size": 0.2},
        metrics={"sure": ["accuracy"], "size": ["mae"]},
    )


def steps_and_sample() -> keras.Model:
    """Return a model with an output for each time step, some masked, and one for the sample."""
    inputs = keras.Input((5,))
    states = layers.SimpleRNN(4, return_sequences=True)(layers.Embedding(9, 4, mask_zero=True)(inputs))
    steps = layers.Dense(3, "softmax", name="steps")(states)
    whole = layers.Dense(1, "sigmoid", name="whole")(layers.GlobalAveragePooling1D()(states))
    return _compiled(
        keras.Model(inputs, {"steps": steps, "whole": whole}),
        loss={"steps": "sparse_categorical_crossentropy", "whole": "binary_crossentropy"},
        metrics={"steps": ["accuracy"], "whole": ["accuracy"]},
    )


class Distance(layers.Layer):  # type: ignore[misc]
    """Adds what its input is beside zero to the loss."""

    def call(self, x: Any) -> Any:
        """Return the input."""
        self.add_loss(ops.mean(ops.square(x)))
        return x


def adding_alone() -> keras.Model:
    """Return a model whose only loss a layer adds."""
    model = keras.Sequential([layers.Input((4,)), layers.Dense(1), Distance()])
    model.compile(keras.optimizers.SGD(0.1))
    return model


class Remembering(layers.Layer):  # type: ignore[misc]
    """Adds to each batch what those before have left, in either mode."""

    def build(self, shape: Any) -> None:
        """Make what it remembers."""
        self.left = self.add_weight(shape=shape[1:], trainable=False, initializer="zeros")

    def call(self, x: Any) -> Any:
        """Return the sum."""
        out = x + self.left
        self.left.assign(0.5 * self.left + ops.mean(x, axis=0))
        return out


def remembering() -> keras.Model:
    """Return a model with a memory."""
    return _compiled(keras.Sequential([layers.Input((4,)), Remembering(), layers.Dense(1, "sigmoid")]))


def adding() -> keras.Model:
    """Return a model to whose loss a layer adds what the data gives."""
    return _compiled(keras.Sequential([layers.Input((4,)), Distance(), layers.Dense(1, "sigmoid")]))


class Taught(keras.Sequential):  # type: ignore[misc]
    """Half of its loss is the distance from a teacher."""

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return both."""
        own = super().compute_loss(x, y, y_pred, *args, **kwargs)
        return 0.5 * own + 0.5 * ops.mean(ops.square(y_pred - ops.sigmoid(x[:, :1])))


def taught() -> keras.Model:
    """Return a student."""
    return _compiled(Taught([layers.Input((4,)), layers.Dense(1, "sigmoid")]))


class Raised(keras.Sequential):  # type: ignore[misc]
    """Adds a constant to its loss."""

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """Return both."""
        return super().compute_loss(*args, **kwargs) + 0.5


def raised() -> keras.Model:
    """Return one."""
    return _compiled(Raised([layers.Input((4,)), layers.Dense(1, "sigmoid")]))


class Own(keras.Model):  # type: ignore[misc]
    """A training step of the user's own, with other keys in its logs; `way` says which."""

    way = ""

    def train_step(self, data: Any) -> Any:
        """Train on a batch."""
        if self.way == "test":
            return super().train_step(data)
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        if self.way == "plain":
            return {"first_loss": loss, "second_loss": 2 * loss}
        if self.way == "last":
            return {"loss": loss}
        if self.way == "no loss":
            self.compute_metrics(x, y, y_pred)
            return {"cross_entropy": loss}
        if self.way in ("renamed", "alike"):
            size = None if self.way == "alike" else tf.shape(x)[0]
            self.total.update_state(loss, sample_weight=size)
            return {"loss": self.total.result()}
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=tf.shape(x)[0])
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}

    def test_step(self, data: Any) -> Any:
        """Validate on a batch."""
        if self.way == "test":
            return {"loss": ops.mean(ops.square(ops.reshape(data[1], (-1, 1)) - self(data[0], training=False)))}
        if self.way == "alike":
            loss = self.compute_loss(x=data[0], y=data[1], y_pred=self(data[0], training=False)) + 0.0
            self.total.update_state(loss)
            return {"loss": self.total.result()}
        return super().test_step(data)


def own(way: str, **compiling: Any) -> keras.Model:
    """Return a model with steps of its own."""
    inputs = keras.Input((4,))
    model = Own(inputs, layers.Dense(1, "sigmoid")(inputs))
    model.way = way
    if way in ("renamed", "alike"):
        model.total = keras.metrics.Mean(name="total")
    metrics = ["accuracy"] if way in ("metrics", "test", "no loss") else None
    return _compiled(model, metrics=metrics, **compiling)


class Variational(keras.Model):  # type: ignore[misc]
    """Encodes with noise that its own generator draws; both steps are its own, with a mean each."""

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.decode = layers.Dense(2), layers.Dense(4)
        self.noise = keras.random.SeedGenerator(5)
        self.mean = keras.metrics.Mean(name="loss")

    @property
    def metrics(self) -> list[Any]:
        """The mean."""
        return [self.mean]

    def call(self, x: Any) -> Any:
        """Return the code."""
        return self.encode(x)

    def distance(self, x: Any) -> Any:
        """Return the loss of a batch."""
        code = self(x)
        code = code + 0.3 * keras.random.normal(ops.shape(code), seed=self.noise)
        return ops.mean(ops.square(self.decode(code) - x)) + 0.1 * ops.mean(ops.square(code))

    def train_step(self, data: Any) -> Any:
        """Train on a batch."""
        with tf.GradientTape() as tape:
            loss = self.distance(data)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        self.mean.update_state(loss, sample_weight=tf.shape(data)[0])
        return {"loss": self.mean.result()}

    def test_step(self, data: Any) -> Any:
        """Validate on a batch."""
        self.mean.update_state(self.distance(data), sample_weight=tf.shape(data)[0])
        return {"loss": self.mean.result()}


def variational() -> keras.Model:
    """Return an autoencoder."""
    model = Variational()
    model.compile(keras.optimizers.SGD(0.1))
    model.build((None, 4))
    model.decode.build((None, 2))
    return model


class Adversaries(keras.Model):  # type: ignore[misc]
    """Two networks with an optimizer each."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.critic = layers.Dense(4), layers.Dense(1)
        self.rates = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.05)
        self.costs = keras.metrics.Mean(name="g"), keras.metrics.Mean(name="d")

    @property
    def metrics(self) -> list[Any]:
        """Both means."""
        return list(self.costs)

    def call(self, x: Any) -> Any:
        """Return what the critic says of what is made of an input."""
        return self.critic(self.generator(x))

    def train_step(self, data: Any) -> Any:
        """Train both."""
        parts = (self.generator, self.critic)
        logs = {}
        for name, part, sign, rate, cost in zip(
            ("g_loss", "d_loss"), parts, (-1, 1), self.rates, self.costs, strict=True
        ):
            with tf.GradientTape() as tape:
                loss = sign * ops.mean(self(data)) - (sign > 0) * ops.mean(ops.tanh(self.critic(data)))
            rate.apply(tape.gradient(loss, part.trainable_variables), part.trainable_variables)
            cost.update_state(loss)
            logs[name] = cost.result()
        return logs


def adversaries() -> keras.Model:
    """Return a pair."""
    model = Adversaries()
    model.compile()
    model.build((None, 4))
    model.generator.build((None, 4))
    model.critic.build((None, 4))
    return model
