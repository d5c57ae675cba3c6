"""The benchmark's tables in Markdown, as the README shows them, from whatever the cache holds."""

from collections.abc import Iterator, Sequence

from tests.benchmarks.causes.recipes import CAUSES, CONTROLS
from tests.benchmarks.causes.rivals import rivals
from tests.benchmarks.causes.scoring import METRICS, Named, Scored, agreement, largest_remainder, measured, naming
from tests.unit.explain.reading_headlines import faults
from tui_monitor.run_log.events.explanation import explanation_to_json
from tui_monitor.run_log.events.ledger import Cause

_SHOWN = {"averaged while learning": "running average", "every batch counts the same": "mean of batch means"}
"""What recipes plant, in the words of the screen; the cache knows them by names of their own."""


def report(scored: Sequence[Scored], planned: int) -> str:
    """Return the tables and the sentences around them.

    Args:
        scored: runs that the cache holds.
        planned: runs of the whole benchmark.
    """
    planted = [run for run in scored if not run.plan.control]
    blocks = [
        _summary(scored, planned),
        "\n".join(_causes(planted)),
        _small_effects(planted),
        "\n".join(_controls(scored)),
        "\n".join(_terms(scored)),
        "\n".join(_wrong(scored)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _summary(scored: Sequence[Scored], planned: int) -> str:
    seeds = {run.plan.seed for run in scored if not run.plan.control}
    families = sorted({run.plan.family for run in scored})
    told = sum(not faults(explanation_to_json(run.explanation)) for run in scored)
    part = "" if len(scored) == planned else f" (of {planned} planned)"
    return (
        f"{len(scored)} runs{part}: {len(CAUSES)} causes and combinations × {', '.join(families)} × 2 strengths × "
        f"{len(seeds)} seeds, and {sum(run.plan.control for run in scored)} controls. Largest difference between a "
        f"reported gap and the sum of its terms: {largest_remainder(scored):.0e}. Verdict and headline agree with the "
        f"JSON in {told} of {len(scored)}."
    )


def _small_effects(planted: Sequence[Scored]) -> str:
    """Say what was answered where no true effect exceeds chance: a cause that is named there is real, but small."""
    unclear = [(run, metric) for run in planted for metric in METRICS if run.right_answer(metric) is None]
    named = [(run, metric) for run, metric in unclear if run.answers(metric)]
    right = sum(run.answers(metric)[0] == run.largest(metric) for run, metric in named)
    return (
        f"Beyond these, {len(unclear)} ledgers of planted runs have no effect above chance. A main cause is named in "
        f"{len(named)} of them; it is the largest true term in {right}."
    )


def _causes(planted: Sequence[Scored]) -> Iterator[str]:
    others = rivals()
    names = list(others)
    yield (
        f"| planted | there | top-1 loss | top-1 accuracy | top-2, both | no answer | {' | '.join(names)} |\n"
        f"|---|---:|---:|---:|---:|---:|{'---:|' * len(names)}"
    )
    there = agreement(planted)
    for name in [*CAUSES, "**all**"]:
        runs = [run for run in planted if name in (run.plan.name, "**all**")]
        counted = {
            metric: naming((run.right_answer(metric), run.answers(metric)) for run in runs) for metric in METRICS
        }
        found, of = (sum(pair[i] for key, pair in there.items() if name in (key, "**all**")) for i in (0, 1))
        asked = sum(entry.asked for entry in counted.values())
        rival = [naming((run.right_answer("loss"), answer(run)) for run in runs) for answer in others.values()]
        cells = [
            _SHOWN.get(name, name),
            f"{found}/{of}",
            *(_share(entry) for entry in counted.values()),
            f"{sum(entry.among_two for entry in counted.values())}/{asked}",
            str(sum(entry.abstained for entry in counted.values())),
            *(_share(entry) for entry in rival),
        ]
        yield f"| {' | '.join(cells)} |"


def _share(named: Named) -> str:
    return f"{named.first}/{named.asked}" if named.asked else "–"


def _controls(scored: Sequence[Scored]) -> Iterator[str]:
    names = rivals()
    yield f"| control | runs | a cause called main | lower and lower claimed | {' | '.join(names)} |"
    yield f"|---|---:|---:|---:|{'---:|' * len(names)}"
    for name in CONTROLS:
        runs = [run for run in scored if run.plan.name == name]
        false = sum(any(run.answers(metric) for metric in METRICS) for run in runs)
        paradox = sum(run.claims_paradox for run in runs)
        claimed = [str(sum(bool(answer(run)) for run in runs)) for answer in names.values()]
        yield f"| {name} | {len(runs)} | {false} | {paradox} | {' | '.join(claimed)} |"


def _terms(scored: Sequence[Scored]) -> Iterator[str]:
    yield "| term | loss: mean error, nats | 95 % intervals that hold | accuracy: mean error, points | that hold |"
    yield "|---|---:|---:|---:|---:|"
    covered, of = dict.fromkeys(METRICS, 0), dict.fromkeys(METRICS, 0)
    for cause in Cause:
        cells = []
        for metric, scale, digits in (("loss", 1.0, 4), ("accuracy", 100.0, 2)):
            result = measured(scored, metric, cause)
            covered[metric] += result.covered
            of[metric] += result.with_interval
            cells += [f"{result.error * scale:.{digits}f}", _percent(result.covered, result.with_interval)]
            if not result.runs:
                cells[-2:] = ["–", "–"]
        if set(cells) != {"–"}:
            yield f"| {cause.label} | {' | '.join(cells)} |"
    totals = [_percent(covered[metric], of[metric]) for metric in METRICS]
    yield f"| **all** | | {totals[0]} | | {totals[1]} |"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} % of {whole}" if whole else "–"


def _wrong(scored: Sequence[Scored]) -> Iterator[str]:
    """List the ledgers whose main cause is not the true one, abstentions last."""
    wrong = []
    for run in scored:
        for metric in METRICS:
            right, said = run.right_answer(metric), run.answers(metric)[:1]
            if (right is not None and said != [right]) or (run.plan.control and said):
                wrong.append((not said, f"- {_where(run)}: {metric}, {_said(said)}; {_truth(run, metric, right)}."))
    if wrong:
        yield "Answers that are wrong or missing:"
        yield ""
        yield from (line for _, line in sorted(wrong))


def _where(run: Scored) -> str:
    plan = run.plan
    return f"{_SHOWN.get(plan.name, plan.name)}, {plan.family}, {('weak', 'strong')[plan.strength]}, seed {plan.seed}"


def _said(said: Sequence[str]) -> str:
    return f"said “{Cause(said[0]).label}”" if said else "named no main cause"


def _truth(run: Scored, metric: str, right: str | None) -> str:
    scale, unit, digits = (1.0, " nats", 3) if metric == "loss" else (100.0, " points", 1)
    gap = f"the gap of {run.gap(metric) * scale:+.{digits}f}{unit}"
    if right is None:
        return f"chance gives {gap}"
    effect = run.stored.truth[metric][right] * scale
    return f"of {gap}, “{Cause(right).label}” is {effect:+.{digits}f}".replace("-", "−")
