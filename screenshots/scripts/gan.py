"""A generative adversarial network with a `train_step` of its own, two losses and no validation."""

import keras
import numpy as np
import tensorflow as tf

SAMPLES, NOISE, FEATURES = 4000, 8, 2


class Gan(keras.Model):  # type: ignore[misc]
    """Generator and discriminator trained against each other on points of a ring."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.Sequential(
            [keras.layers.Input((NOISE,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(FEATURES)]
        )
        self.discriminator = keras.Sequential(
            [keras.layers.Input((FEATURES,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)]
        )
        self.generator_loss = keras.metrics.Mean(name="g_loss")
        self.discriminator_loss = keras.metrics.Mean(name="d_loss")
        self.generator_optimizer = keras.optimizers.Adam(0.0005)
        self.discriminator_optimizer = keras.optimizers.Adam(0.0005)
        self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The two losses."""
        return [self.generator_loss, self.discriminator_loss]

    def train_step(self, real: tf.Tensor) -> dict[str, tf.Tensor]:
        """Train the discriminator, then the generator, on one batch."""
        noise = tf.random.normal((tf.shape(real)[0], NOISE))
        with tf.GradientTape() as tape:
            told = self.discriminator(tf.concat([self.generator(noise), real], axis=0))
            size = tf.shape(real)[0]
            truth = tf.concat([tf.zeros((size, 1)), tf.ones((size, 1))], axis=0)
            d_loss = self.cross_entropy(truth, told)
        weights = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(d_loss, weights), weights)
        with tf.GradientTape() as tape:
            told = self.discriminator(self.generator(noise))
            g_loss = self.cross_entropy(tf.ones_like(told), told)
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(g_loss, weights), weights)
        self.generator_loss.update_state(g_loss)
        self.discriminator_loss.update_state(d_loss)
        return {metric.name: metric.result() for metric in self.metrics}


keras.utils.set_random_seed(11)
angle = np.random.default_rng(11).uniform(0, 2 * np.pi, SAMPLES)
ring = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype("float32")
model = Gan()
model.compile()
model.fit(ring, batch_size=50, epochs=12, verbose=2)
