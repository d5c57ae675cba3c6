"""The one spelling of each metric: `acc`, `binary_accuracy` and friends all appear as `accuracy`."""

VALIDATION_PREFIX = "val_"

_ACCURACY_NAMES = frozenset(
    {
        "acc",
        "accuracy",
        "binary_accuracy",
        "categorical_accuracy",
        "sparse_categorical_accuracy",
    }
)


def canonical_metric(name: str) -> str:
    """Return the spelling under which charts, tables and JSON show a Keras metric.

    Args:
        name: as Keras logs it, with or without the `val_` prefix.
    """
    prefix = VALIDATION_PREFIX if name.startswith(VALIDATION_PREFIX) else ""
    stem = name.removeprefix(prefix)
    return prefix + ("accuracy" if stem in _ACCURACY_NAMES else stem)
