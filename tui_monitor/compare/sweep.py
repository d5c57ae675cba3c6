"""Which arguments go with a better value: rank correlation over the runs of one script, with its interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tui_monitor.explain.quantiles import NORMAL_QUANTILE
from tui_monitor.metric_names import is_higher_better
from tui_monitor.run_log.runs.arguments import varying
from tui_monitor.run_log.runs.entry import RunEntry

LEAST_RUNS = 5
"""Below so many runs a rank correlation has no interval worth showing."""


@dataclass(frozen=True)
class ArgumentEffect:
    """How one argument goes with the best value of a metric."""

    name: str
    runs: int
    """That have a number for it and a value of the metric."""
    correlation: float | None
    """Spearman's, from −1 to 1; None where the argument is no number, or takes one value."""
    low: float | None = None
    """Lower end of the 95 % interval; None below `LEAST_RUNS`."""
    high: float | None = None
    is_settled: bool = False
    """Whether chance would hardly give so much to any of the arguments that vary, of which there may be many."""


@dataclass(frozen=True)
class Sweep:
    """Runs of one script, ranked."""

    metric: str
    """Whose best values count."""
    ranked: tuple[RunEntry, ...]
    """Those that have a value, the best first."""
    effects: tuple[ArgumentEffect, ...]
    """Of every argument that varies, those that go with the metric most strongly first."""


def sweep_of(entries: Sequence[RunEntry], metric: str) -> Sweep:
    """Return the ranking of runs of one script by the best value of a metric.

    Args:
        entries: in any order; those without a value are left out.
        metric: canonical name.
    """
    measured = [entry for entry in entries if metric in entry.best]
    sign = -1 if is_higher_better(metric) else 1
    ranked = sorted(measured, key=lambda entry: (sign * entry.best[metric].value, entry.name))
    return Sweep(metric, tuple(ranked), argument_effects(measured, metric))


def argument_effects(entries: Sequence[RunEntry], metric: str) -> tuple[ArgumentEffect, ...]:
    """Return the arguments that vary among runs, those that go with the metric most strongly first.

    The interval is Fisher's with Bonett and Wright's variance (Psychometrika 65, 2000), which holds for ranks. A
    correlation is settled where the interval that is as wide as so many arguments need it (Bonferroni) leaves out 0.
    Arguments of a sweep are often chosen together: a correlation does not say which of them made the difference.

    Args:
        entries: runs of one script.
        metric: whose best values count.
    """
    measured = [entry for entry in entries if metric in entry.best]
    names = varying([entry.arguments for entry in measured])
    effects = [_effect(name, measured, metric, len(names)) for name in names]
    return tuple(sorted(effects, key=lambda effect: -abs(effect.correlation or 0.0)))


def _effect(name: str, entries: Sequence[RunEntry], metric: str, arguments: int) -> ArgumentEffect:
    pairs = [
        (number, entry.best[metric].value)
        for entry in entries
        if (number := _number(entry.arguments.get(name))) is not None
    ]
    if len(pairs) < 3:
        return ArgumentEffect(name, len(pairs), None)
    first, second = (_ranks(np.array(values)) for values in zip(*pairs, strict=True))
    if not first.std() or not second.std():
        return ArgumentEffect(name, len(pairs), None)
    correlation = float(np.clip(np.corrcoef(first, second)[0, 1], -1, 1))
    if len(pairs) < LEAST_RUNS:
        return ArgumentEffect(name, len(pairs), correlation)
    middle = math.atanh(min(max(correlation, -0.9999), 0.9999))
    error = math.sqrt((1 + correlation**2 / 2) / (len(pairs) - 3))
    ends = math.tanh(middle - NORMAL_QUANTILE * error), math.tanh(middle + NORMAL_QUANTILE * error)
    needed = NormalDist().inv_cdf(1 - 0.025 / arguments)
    return ArgumentEffect(name, len(pairs), correlation, *ends, is_settled=abs(middle) > needed * error)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 0; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: NDArray[np.float64] = (ends - (counts + 1) / 2)[inverse]
    return means
