"""Two networks, two optimizers, no loss of Keras: values to the last bit."""

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(5)
x = np.random.default_rng(0).normal(size=(96, 6)).astype("float32")


def dense(units):
    return keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(units)])


class Gan(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator, self.judge = dense(6), dense(1)
        self.of_generator, self.of_judge = keras.metrics.Mean(name="g"), keras.metrics.Mean(name="d")

    def compile(self, generator, judge):
        super().compile()
        self.for_generator, self.for_judge = generator, judge

    @property
    def metrics(self):
        return [self.of_generator, self.of_judge]

    def train_step(self, real):
        noise = tf.random.normal(tf.shape(real), seed=3)
        with tf.GradientTape() as tape:
            right, wrong = self.judge(real) - 1, self.judge(self.generator(noise))
            loss = tf.reduce_mean(tf.square(right)) + tf.reduce_mean(tf.square(wrong))
        weights = self.judge.trainable_weights
        self.for_judge.apply_gradients(zip(tape.gradient(loss, weights), weights))
        self.of_judge.update_state(loss)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.judge(self.generator(noise)) - 1))
        weights = self.generator.trainable_weights
        self.for_generator.apply_gradients(zip(tape.gradient(loss, weights), weights))
        self.of_generator.update_state(loss)
        return {"g": self.of_generator.result(), "d": self.of_judge.result()}


model = Gan()
model.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.02))
for _ in range(2):
    print(model.fit(x, epochs=2, batch_size=16, verbose=0).history)
print([float(np.sum(np.abs(weight))).hex() for weight in model.get_weights()])
