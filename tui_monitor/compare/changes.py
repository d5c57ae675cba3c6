"""What was different about two runs, before anything came of it."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tui_monitor.compare.recorded_run import RecordedRun
from tui_monitor.run_log.runs.arguments import varying
from tui_monitor.run_log.runs.origin import Origin

VALIDATION_DIGEST = "validation digest"
"""Name of what tells the samples of one validation set from those of another."""
_COMMIT = 12


@dataclass(frozen=True)
class Change:
    """One thing that is not the same in both."""

    about: str
    """`argument`, `model`, `data`, `version`, `machine`, `code`."""
    name: str
    first: str
    """Empty where the first run has none."""
    second: str


@dataclass(frozen=True)
class ScriptDifference:
    """How the texts of the two runs' scripts differ."""

    is_known: bool
    """Whether both runs kept their script."""
    lines: tuple[str, ...] = ()
    """A unified diff; empty where the texts are the same."""


def changes(first: RecordedRun, second: RecordedRun) -> tuple[Change, ...]:
    """Return everything that is recorded of both runs and differs, arguments first."""
    return (
        *_each("argument", {"script": first.script}, {"script": second.script}),
        *_arguments(first, second),
        *_each("model", _model(first), _model(second)),
        *_each("data", _data(first), _data(second)),
        *_each("version", first.snapshot.run.versions, second.snapshot.run.versions),
        *_each("machine", {"host": first.snapshot.run.host}, {"host": second.snapshot.run.host}),
        *_each("code", _code(first.origin), _code(second.origin)),
    )


def script_difference(first: Origin, second: Origin) -> ScriptDifference:
    """Return how the kept sources differ, file by file."""
    if not first.sources or not second.sources:
        return ScriptDifference(is_known=False)
    lines: list[str] = []
    for name in dict.fromkeys((*first.sources, *second.sources)):
        one, other = first.sources.get(name, ""), second.sources.get(name, "")
        if one != other:
            lines += difflib.unified_diff(
                one.splitlines(), other.splitlines(), f"first/{name}", f"second/{name}", lineterm="", n=2
            )
    return ScriptDifference(is_known=True, lines=tuple(lines))


def _each(about: str, first: Mapping[str, str], second: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*first, *second)):
        one, other = first.get(name, ""), second.get(name, "")
        if one != other:
            yield Change(about, name, one, other)


def _arguments(first: RecordedRun, second: RecordedRun) -> Iterator[Change]:
    """Yield the arguments that differ; of two that say the same, such as `lr` and the optimizer's, the first."""
    one, other = first.arguments, second.arguments
    for name in varying([one, other]):
        yield Change("argument", name, one.get(name, ""), other.get(name, ""))


def _model(run: RecordedRun) -> dict[str, str]:
    layers = run.fit.info.model.get("layers") if run.fit is not None else None
    if not isinstance(layers, list):
        return {}
    kinds = [str(layer.get("kind", "?")) for layer in layers if isinstance(layer, Mapping)]
    return {"layers": " → ".join(kinds)}


def _data(run: RecordedRun) -> dict[str, str]:
    found: dict[str, str] = {}
    row = run.epoch
    if row is not None and row.samples:
        found["training samples an epoch"] = str(row.samples)
    if run.samples is not None:
        found["validation samples"] = str(run.samples.loss.size)
        if run.samples.key is not None:
            # Summed, so that the order of the samples does not matter.
            found[VALIDATION_DIGEST] = f"{int(run.samples.key.sum(dtype='uint64')):016x}"
    classes = run.explanation.classes if run.explanation is not None else None
    if classes is not None:
        sides = (("training", classes.train_share), ("validation", classes.validation_share))
        for side, fractions in sides:
            if fractions:
                found[f"classes of {side}"] = ", ".join(f"{100 * fraction:.1f} %" for fraction in fractions)
    return found


def _code(origin: Origin) -> dict[str, str]:
    if not origin.commit:
        return {}
    state = {None: "", True: "", False: " with changes"}[None if origin.changed is None else not origin.changed]
    return {"git commit": origin.commit[:_COMMIT] + state}
