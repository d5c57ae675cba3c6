"""Measuring on one worker of several takes part in nothing that others would have to take part in."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tui_monitor.training.sample_figures import Unsupported

_REFUSED = (
    "A layer joins the samples of all workers while training, such as synchronised batch normalisation: "
    "one worker can't measure it alone, so the gap is only shown."
)


def trains_on_several_workers(model: Any) -> bool:
    """Whether the model's strategy spans processes."""
    strategy = getattr(model, "distribute_strategy", None)
    extended = getattr(strategy, "extended", None)
    return bool(getattr(extended, "_in_multi_worker_mode", bool)())


def on_own_replica(model: Any, measure: Callable[..., Any]) -> Callable[..., Any]:
    """Return a measurement as this worker's replica would run it: with its own running statistics.

    Outside a replica, reading a variable that every replica keeps apart asks all workers, who are not listening.

    Args:
        model: that trains.
        measure: function of one batch.

    Raises:
        Unsupported: the model has a layer that asks all workers even so.
    """
    if not trains_on_several_workers(model):
        return measure
    if any(getattr(layer, "synchronized", False) for layer in model._flatten_layers()):
        raise Unsupported(_REFUSED)
    strategy = model.distribute_strategy

    @functools.wraps(measure)
    def measured(inputs: Any) -> Any:
        """Return what this worker's own replica measures."""
        results = strategy.run(measure, args=(inputs,))
        return tf.nest.map_structure(lambda result: strategy.experimental_local_results(result)[0], results)

    return measured


def refuse_collectives(function: Any) -> None:
    """Make sure that a traced function asks no other worker for anything.

    Raises:
        Unsupported: it would; it must never be called.
    """
    definition = function.graph.as_graph_def()
    nodes = [*definition.node, *(node for each in definition.library.function for node in each.node_def)]
    if any(node.op.startswith("Collective") for node in nodes):
        raise Unsupported(_REFUSED)
