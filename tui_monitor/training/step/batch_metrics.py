"""A batch's own value of metrics that are no means (AUC, precision, F1), from a copy started anew each batch."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from tui_monitor.training.backends import graphs
from tui_monitor.training.backends.backend import Backend


class BatchMetrics:
    """Copies of a model's compiled metrics, updated inside its step; a model without such metrics gets none.

    Only Keras' own metrics are copied: one of the user's may count, print or take a name when it is made again.
    """

    def __init__(self, backend: Backend, model: Any) -> None:
        self._backend = backend
        self._model = model
        self._copies: dict[str, Any] = {}
        self._failed: set[str] = set()

    def values(self, logs: Mapping[str, Any], data: tuple[Any, Any, Any]) -> dict[str, tf.Tensor]:
        """Return the batch's own value of each log that a metric can be copied for. Called while a step is traced.

        Args:
            logs: scalars that the step returns and whose batch value is not known yet.
            data: targets, outputs and sample weights (or None) of the batch.
        """
        y, y_pred, sample_weight = data
        several = tf.distribute.get_strategy().num_replicas_in_sync > 1
        # A copy on one replica would see a part of the batch alone, and the AUC of parts can't be put together.
        if not logs or y is None or y_pred is None or _is_nest(y, y_pred) or several:
            return {}
        values: dict[str, tf.Tensor] = {}
        for entry in self._backend.compiled_metrics(self._model):
            name, weight = entry.log, sample_weight if entry.is_weighted else None
            if name not in logs or name in values or name in self._failed or not self._is_known(entry.metric):
                continue
            try:
                values[name] = self._value(name, entry.metric, (y, y_pred, weight))
            except Exception:  # what can't be copied is left to its running value; training must go on
                self._failed.add(name)
        return values

    def _is_known(self, metric: Any) -> bool:
        return self._backend.is_own(type(metric))

    def _value(self, name: str, metric: Any, data: tuple[Any, Any, Any]) -> tf.Tensor:
        # Outside the graph that is traced: the copy's variables serve every later trace, too.
        with graphs.outside():
            if name not in self._copies:
                with self._backend.names_kept():
                    self._copies[name] = type(metric).from_config(metric.get_config())
        copy = self._copies[name]
        # Traced into the step: a `tf.function` runs writes and reads of one variable in the order of their code.
        copy.reset_state()
        copy.update_state(*data)
        return tf.cast(copy.result(), tf.float32)


def _is_nest(y: Any, y_pred: Any) -> bool:
    return bool(tf.nest.is_nested(y) or tf.nest.is_nested(y_pred))
