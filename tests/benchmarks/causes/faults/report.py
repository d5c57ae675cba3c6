"""The tables in Markdown, as the README shows them, and what was wrong."""

from collections.abc import Iterator, Sequence

from tests.benchmarks.causes.faults.plans import FAULTS
from tests.benchmarks.causes.faults.scoring import NEW_TERMS, Effect, Scored
from tests.benchmarks.causes.faults.store import METRICS
from tui_monitor.run_log.events.ledger import Cause

_HEADERS = "exact, and right | estimated, within its 95 % interval | mean error, nats / points"


def report(runs: Sequence[Scored], planned: int) -> Iterator[str]:
    """Yield the tables, and each answer that is wrong or missing.

    Args:
        runs: that the cache holds.
        planned: runs of the whole benchmark.
    """
    planted, controls = ([run for run in runs if run.plan.control is is_control] for is_control in (False, True))
    false = [run for run in controls if run.is_false_alarm]
    seeds = len({run.plan.seed for run in planted})
    families = ", ".join(sorted({run.plan.family for run in runs}))
    part = "" if len(runs) == planned else f" (of {planned} planned)"
    yield (
        f"{len(runs)} runs{part}: {len(FAULTS)} faults × {families} × 2 strengths × {seeds} seeds, and "
        f"{len(controls)} controls, of which {len(false)} have a new main cause or a finding."
    )
    yield ""
    yield f"| planted | named first or raised | {_HEADERS} |"
    yield "|---|---:|---:|---:|---:|"
    for name in [*FAULTS, "**all**"]:
        chosen = [run for run in planted if name in (run.plan.name, "**all**")]
        named = f"{sum(run.is_named for run in chosen)}/{len(chosen)}"
        yield f"| {name} | {named} | {_coverage([one for run in chosen for one in run.planted])} |"
    yield ""
    yield f"| cause, in every run, planted or not | {_HEADERS} |"
    yield "|---|---:|---:|---:|"
    effects = [one for run in runs for one in run.effects]
    for cause in NEW_TERMS:
        yield f"| {Cause(cause).label} | {_coverage([one for one in effects if one.cause == cause])} |"
    yield f"| **all** | {_coverage([one for one in effects if one.cause in NEW_TERMS])} |"
    wrong = [run for run in planted if not run.is_named] + false
    yield from ("", "Answers that are wrong or missing:", "") if wrong else ()
    for run in wrong:
        said = ", ".join(
            f"{metric} “{Cause(main).label}”" if main else f"{metric} –" for metric, main in run.mains.items()
        )
        raised = f"; raised {', '.join(run.raised)}" if run.raised else ""
        reason = f" ({run.reason})" if run.reason else ""
        yield f"- {run.plan.name}, {run.plan.family}, {('weak', 'strong')[run.plan.strength]}: {said}{raised}{reason}"


def misses(runs: Sequence[Scored]) -> Iterator[str]:
    """Yield each interval that does not hold the truth."""
    missed = [(run, effect) for run in runs for effect in run.effects if not effect.is_inside]
    yield "Intervals that miss the truth:"
    yield ""
    for run, one in missed:
        measured = f"{one.value:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"
        yield f"- {run.plan.key}: {one.cause}, {one.metric} {measured}, true {one.truth:+.4f}"


def _coverage(effects: Sequence[Effect]) -> str:
    """Return how many intervals hold, of exact effects and of estimates, and the mean error of both metrics: cells."""
    held = []
    for is_estimated in (False, True):
        inside = [one.is_inside for one in effects if one.is_estimated is is_estimated]
        held.append(f"{sum(inside)} of {len(inside)}" if inside else "–")
        if inside and is_estimated:
            held[-1] += f" ({100 * sum(inside) / len(inside):.0f} %)"
    errors = []
    for metric, scale, digits in zip(METRICS, (1.0, 100.0), (4, 2), strict=True):
        found = [abs(one.value - one.truth) * scale for one in effects if one.metric == metric]
        errors.append(f"{sum(found) / len(found):.{digits}f}" if found else "–")
    return " | ".join([*held, " / ".join(errors) if effects else "–"])
