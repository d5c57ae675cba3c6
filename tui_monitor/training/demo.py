"""The demo's training: the question's own model and call, on a scenario's data."""

import keras
import tensorflow as tf

from tui_monitor.demo import DemoData, Scenario, make_data
from tui_monitor.training.keras2.generator_fit import fit_generator
from tui_monitor.training.record.session import Session


class EveryBatchCountsTheSame(keras.Sequential):  # type: ignore[misc]
    """A model whose training metrics are means over batches, whatever their sizes, as Keras 2's bar printed them."""

    def train_step(self, data: object) -> dict[str, object]:
        """Train on one batch; the trackers get it with a weight of 1 in all."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        size = tf.shape(y)[0]
        share = tf.fill([size], 1.0 / tf.cast(size, tf.float32))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred, sample_weight=share)
        return dict(self.get_metrics_result())


def build_model(scenario: Scenario) -> keras.Model:
    """Return the question's model, compiled: LSTM(16), where asked for dropout, softmax over two classes."""
    layers = [keras.layers.Input((1, scenario.features))]
    if scenario.momentum is not None:
        layers.append(keras.layers.BatchNormalization(momentum=scenario.momentum))
    layers.append(keras.layers.LSTM(scenario.units))
    if scenario.dropout:
        layers.append(keras.layers.Dropout(scenario.dropout))
    layers.append(keras.layers.Dense(2, activation="softmax"))
    kind = EveryBatchCountsTheSame if scenario.every_batch_same else keras.Sequential
    model = kind(layers)
    counted = "weighted_metrics" if scenario.every_batch_same else "metrics"
    model.compile(
        optimizer=keras.optimizers.Adam(scenario.learning_rate),
        loss="categorical_crossentropy",
        **{counted: ["accuracy"]},
    )
    return model


def train(
    scenario: Scenario, seed: int, epochs: int, session: Session | None = None
) -> tuple[keras.Model, DemoData, keras.callbacks.History]:
    """Run a scenario's training, recorded where a session is given.

    Args:
        scenario: what to train.
        seed: of data, weights and dropout.
        epochs: how many.
        session: the run that records it, or None.
    """
    keras.utils.set_random_seed(seed)
    data = make_data(scenario, seed)
    model = build_model(scenario)
    weights = scenario.class_weight
    history = fit_generator(
        model,
        data.batches(),
        steps_per_epoch=len(data.batch_sizes),
        epochs=epochs,
        verbose=2,
        validation_data=(data.validation_x, data.validation_y),
        class_weight=dict(enumerate(weights)) if weights else None,
        session=session,
    )
    return model, data, history
