"""A batch's own value of metrics that are no means (AUC, precision, F1), from a copy started anew each batch."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tui_monitor.training.engines import engine_of
from tui_monitor.training.replicas import several_replicas


class BatchMetrics:
    """Copies of a model's compiled metrics, updated inside its step; a model without such metrics gets none."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._copies: dict[str, Any] = {}
        self._failed: set[str] = set()

    def values(
        self, logs: Mapping[str, Any], known: Mapping[str, Any], data: tuple[Any, Any, Any]
    ) -> dict[str, tf.Tensor]:
        """Return the batch's own value of each logged scalar that is not known yet. Called while a step is traced.

        A metric that can't be copied, or not be updated a second time, is left to its value of the epoch.

        Args:
            logs: what the step returns.
            known: values that are there already, by name.
            data: targets, outputs and sample weights (or None) of the batch.
        """
        y, y_pred, sample_weight = data
        if y_pred is None or tf.nest.is_nested(y) or tf.nest.is_nested(y_pred) or several_replicas():
            return {}
        engine = engine_of(self._model)
        names = engine.logged_names(self._model)
        values: dict[str, tf.Tensor] = {}
        for metric, weighted in engine.compiled_metrics(self._model):
            name = names.get(id(metric), metric.name)
            if name in known or name in values or name in self._failed or getattr(logs.get(name), "shape", None) != ():
                continue
            try:
                values[name] = self._value(name, metric, (y, y_pred, sample_weight if weighted else None))
            except Exception:  # a metric of the user's own may do anything; training must go on
                self._failed.add(name)
        return values

    def _value(self, name: str, metric: Any, data: tuple[Any, Any, Any]) -> tf.Tensor:
        with tf.init_scope():
            if name not in self._copies:
                self._copies[name] = type(metric).from_config(metric.get_config())
        copy = self._copies[name]
        copy.reset_state()
        copy.update_state(*data)
        return tf.cast(copy.result(), tf.float32)
