"""A binary classifier that is watched by eleven metrics."""

import keras
import numpy as np

SAMPLES, FEATURES = 3000, 12

keras.utils.set_random_seed(13)
generator = np.random.default_rng(13)
x = generator.normal(size=(SAMPLES + 800, FEATURES)).astype("float32")
y = (x[:, 0] + x[:, 1] * x[:, 2] + generator.normal(scale=0.7, size=len(x)) > 0).astype("float32")

model = keras.Sequential(
    [
        keras.layers.Input((FEATURES,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(
    optimizer="adam",
    loss="binary_crossentropy",
    metrics=[
        "accuracy",
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(name="recall"),
        keras.metrics.AUC(name="auc"),
        keras.metrics.AUC(curve="PR", name="pr_auc"),
        keras.metrics.TruePositives(name="true_positives"),
        keras.metrics.FalsePositives(name="false_positives"),
        keras.metrics.FalseNegatives(name="false_negatives"),
        keras.metrics.MeanSquaredError(name="brier"),
        keras.metrics.F1Score(threshold=0.5, name="f1"),
        keras.metrics.SpecificityAtSensitivity(0.9, name="specificity_at_sensitivity"),
    ],
)
model.fit(
    x[:SAMPLES],
    y[:SAMPLES, None],
    batch_size=32,
    epochs=8,
    validation_data=(x[SAMPLES:], y[SAMPLES:, None]),
    verbose=2,
)
