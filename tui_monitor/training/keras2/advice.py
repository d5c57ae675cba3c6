"""One sentence for a script that fails because Keras 3 dropped what it uses: what to write instead."""

import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from tui_monitor.run_log.format.error_text import text_of
from tui_monitor.training.keras2.names import ARGUMENTS, KEPT_BY_LEGACY, MODULES, NAMES

_ALIASES = re.compile(r"^(tensorflow\.keras|keras\._tf_keras\.keras|keras\.api|keras\.src)\b")
_NOT_IMPORTED = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
_UNEXPECTED = re.compile(r"(?:^|\.)(\w+)\.?(\w*)\(\) got an unexpected keyword argument '(\w+)'")
_UNRECOGNISED = re.compile(
    r"(?:Unrecognized keyword arguments passed to \w+|[Aa]rguments?(?:\(s\))? not recognized): \{(.*)"
)
_KEYS = re.compile(r"'(\w+)':")


def advice_for(error: BaseException) -> str | None:
    """Return a sentence on what to write instead of what is gone, or None where the error is of another kind.

    Args:
        error: what ended the script, traceback attached.
    """
    if "keras" not in sys.modules and not isinstance(error, ImportError):
        return None
    for used in _missing(error):
        found = _instead_of(used)
        if found is not None:
            entry, instead = found
            return f"Keras 3 has no {used}: write {instead}{_on_legacy(entry, error)}."
    return _metric_name(error)


def _missing(error: BaseException) -> Iterator[str]:
    """Yield the names of what the error says is missing, as the tables spell them."""
    text = text_of(error)
    if isinstance(error, ImportError):
        named = _NOT_IMPORTED.search(text)
        yield _plain(f"{named[2]}.{named[1]}" if named else str(error.name))
    elif isinstance(error, AttributeError):
        owner = _owner(error.obj)
        if owner is not None:
            yield f"{owner}.{error.name}"
    elif isinstance(error, TypeError):
        unexpected = _UNEXPECTED.search(text)
        if unexpected and _is_of_keras(unexpected[1], unexpected[2]):
            yield unexpected[3]
        elif "missing 1 required positional argument: 'units'" in text:
            yield "output_dim"
        elif "missing 1 required positional argument: 'rate'" in text:
            yield "p"
    elif isinstance(error, ValueError):
        unrecognised = _UNRECOGNISED.search(text)
        yield from _KEYS.findall(unrecognised[1]) if unrecognised else ()


def _plain(name: str) -> str:
    return _ALIASES.sub("keras", name).replace("tensorflow._api.v2.", "tensorflow.")


def _owner(thing: Any) -> str | None:
    """Return what an attribute was asked of: a module's name, or the kind of a Keras object."""
    if isinstance(thing, ModuleType):
        return _plain(thing.__name__)
    keras = sys.modules.get("keras")
    if keras is None or not hasattr(keras, "Model"):
        return None
    kinds = {"model": keras.Model, "layer": keras.layers.Layer, "optimizer": keras.optimizers.Optimizer}
    return next((kind for kind, base in kinds.items() if isinstance(thing, base)), None)


def _is_of_keras(owner: str, method: str) -> bool:
    keras = sys.modules.get("keras")
    modules = [getattr(keras, name, None) for name in ("layers", "callbacks", "optimizers")]
    known = owner in ("Trainer", "TensorFlowTrainer", "fit_generator", "_evaluate_generator", "_predict_generator")
    return known or (method == "__init__" and any(hasattr(module, owner) for module in modules))


def _instead_of(used: str) -> tuple[str, str] | None:
    """Return the entry of the tables that a missing name falls under, and what to write instead."""
    if used in ARGUMENTS:
        return used, ARGUMENTS[used]
    if used in NAMES:
        return used, NAMES[used]
    parts = used.split(".")
    for end in range(len(parts), 1, -1):
        module = ".".join(parts[:end])
        if module in MODULES:
            return module, MODULES[module]
    return _in_ops(used) or _in_tensorflow_1(used)


def _in_ops(used: str) -> tuple[str, str] | None:
    module, _, name = used.rpartition(".")
    keras = sys.modules.get("keras")
    if module != "keras.backend" or not hasattr(getattr(keras, "ops", None), name):
        return None
    return "keras.backend", f"keras.ops.{name}"


def _in_tensorflow_1(used: str) -> tuple[str, str] | None:
    tensorflow = sys.modules.get("tensorflow")
    if not used.startswith("tensorflow.") or tensorflow is None:
        return None
    found: Any = tensorflow.compat.v1
    for part in used.split(".")[1:]:
        found = getattr(found, part, None)
    return None if found is None else (used, used.replace("tensorflow.", "tf.compat.v1.", 1))


def _on_legacy(entry: str, error: BaseException) -> str:
    if entry not in KEPT_BY_LEGACY:
        return ""
    if "tensorflow.keras" in text_of(error) or "_tf_keras" in text_of(error):
        return ", or set TF_USE_LEGACY_KERAS=1 (package tf_keras)"
    return ", or take legacy Keras: tf_keras for keras in the imports, or TF_USE_LEGACY_KERAS=1 for tensorflow.keras"


def _metric_name(error: BaseException) -> str | None:
    key = error.args[0] if isinstance(error, KeyError) and error.args else None
    if key not in ("acc", "val_acc"):
        return None
    spelt = str(key).replace("acc", "accuracy")
    return f"Keras 3 names a metric as compile was given it: write history['{spelt}'], or metrics=['acc']."
