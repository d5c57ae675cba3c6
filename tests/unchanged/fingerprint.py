"""What a fit leaves behind, as short texts that are equal where everything is equal bit for bit."""

import hashlib
import random
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_TEMPORARY = re.compile(r"/tmp/\S+")
_LINE_OF_OURS = re.compile(r'File "[^"]*", line \d+')
_LONGEST = 300


def fingerprint(model: Any, result: Any, error: BaseException | None) -> dict[str, str]:
    """Return what is to be equal after a fit, bare and recorded.

    Args:
        model: that was fitted.
        result: of the fit: a `History`, or None where it raised.
        error: what it raised, or None.
    """
    optimizer = getattr(model, "optimizer", None)
    return {
        "weights": digest(_safely(lambda: model.weights)),
        "optimizer": digest(_safely(lambda: _variables(optimizer))),
        "history": exact(getattr(result, "history", None)),
        "epochs": exact(getattr(result, "epoch", None)),
        "random states": random_states(),
        "names": exact(automatic_names()),
        "exception": "" if error is None else plain(f"{type(error).__name__}: {error}"),
        "attributes": exact(sorted(vars(model))),
        "functions": exact([_kind(getattr(model, name, None)) for name in ("train_function", "test_function")]),
    }


def _safely(read: Any) -> list[Any]:
    """Return a list of variables, or why there is none: a model may never have been built."""
    try:
        return list(read())
    except Exception as error:  # any model of any test
        return [type(error).__name__]


def _variables(optimizer: Any) -> Iterable[Any]:
    held = getattr(optimizer, "variables", None) or []
    return held() if callable(held) else held


def digest(values: Iterable[Any]) -> str:
    """Return how many arrays there are, and a checksum over their bytes."""
    summed, count = hashlib.sha1(usedforsecurity=False), 0
    for value in values:
        count += 1
        try:
            array = np.asarray(value)
        except Exception as error:  # a variable of a graph, or one that was deleted
            array = np.asarray(type(error).__name__)
        summed.update(f"{array.dtype}{array.shape}".encode())
        summed.update(array.tobytes())
    return f"{count} arrays {summed.hexdigest()[:16]}"


def exact(value: Any) -> str:
    """Return a text of nested values that differs where a single bit does, with each value's type."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {exact(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(exact, value)) + "]"
    if isinstance(value, float):
        return f"{type(value).__name__} {float(value).hex()}"
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "numpy"):
        return f"{type(value).__name__} {digest([value])}"
    return plain(repr(value))


def plain(text: str) -> str:
    """Return a text without addresses and temporary paths, cut where it is long."""
    text = _LINE_OF_OURS.sub("File", _TEMPORARY.sub("/tmp/…", _ADDRESS.sub("0x…", text)))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def random_states() -> str:
    """Return the states of the global random generators of Python, NumPy, TensorFlow and both Keras."""
    states = {"python": random.getstate(), "numpy": np.random.get_state(), **_of_tensorflow(), **_of_keras()}
    return " ".join(
        f"{name}={hashlib.sha1(repr(state).encode(), usedforsecurity=False).hexdigest()[:8]}"
        for name, state in states.items()
    )


def _of_tensorflow() -> dict[str, Any]:
    context = sys.modules.get("tensorflow.python.eager.context")
    stateful = sys.modules.get("tensorflow.python.ops.stateful_random_ops")
    states: dict[str, Any] = {}
    if context is not None:
        current = context.context()
        states["tensorflow"] = (current._seed, getattr(current._rng, "getstate", lambda: None)())
    generator = getattr(stateful, "global_generator", None)
    if generator is not None:
        states["generator"] = digest([generator.state])
    return states


def _of_keras() -> dict[str, Any]:
    states: dict[str, Any] = {}
    keras3 = sys.modules.get("keras.src.backend.common.global_state")
    generator = keras3.get_global_attribute("global_seed_generator") if keras3 else None
    if generator is not None:
        states["keras"] = digest([generator.state])
    legacy = sys.modules.get("tf_keras.src.backend")
    generator = getattr(getattr(legacy, "_SEED_GENERATOR", None), "generator", None)
    if generator is not None:
        states["tf_keras"] = generator.getstate()
    return states


def automatic_names() -> dict[str, Any]:
    """Return how often each automatic name was given by both Keras."""
    names: dict[str, Any] = {}
    keras3 = sys.modules.get("keras.src.backend.common.global_state")
    if keras3 is not None:
        names.update(sorted((keras3.get_global_attribute("object_name_uids") or {}).items()))
    legacy = sys.modules.get("tf_keras.src.backend")
    if legacy is not None:
        # Of this graph alone: those of others go with them, at a time of the garbage collector's.
        given = legacy.PER_GRAPH_OBJECT_NAME_UIDS.get(legacy.get_graph(), {})
        names.update({f"tf_keras {name}": count for name, count in sorted(given.items(), key=repr)})
    return names


def _kind(function: Any) -> str:
    """Return whose function it is, by its module and name."""
    if function is None:
        return "None"
    inner = getattr(function, "python_function", function)
    return f"{getattr(inner, '__module__', '')}.{getattr(inner, '__qualname__', type(inner).__qualname__)}"
