"""Plants faults, trains them and scores what is said: `python -m tests.benchmarks.causes.faults`."""

import argparse
import os
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.benchmarks.causes.faults.plans import FAULTS
from tests.benchmarks.causes.faults.scoring import NEW_TERMS, Effect, Scored, score
from tests.benchmarks.causes.faults.store import METRICS, Plan, Store, plans

FAMILIES = ("MLP", "CNN", "LSTM")


def main() -> None:
    """Train what the cache lacks, then print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.causes.faults", description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "tui-monitor" / "faults")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--controls", type=int, default=75)
    parser.add_argument("--only", default="", metavar="TEXT", help="runs alone whose key holds it")
    parser.add_argument("--report", action="store_true", help="train nothing; score what the cache holds")
    arguments = parser.parse_args()
    store = Store(arguments.cache)
    planned = [p for p in plans(FAMILIES, arguments.seeds, arguments.controls) if arguments.only in p.key]
    if not arguments.report:
        _train([plan for plan in planned if plan not in store], store)
    print("\n".join(table(score(planned, store), len(planned))))


def _train(missing: Sequence[Plan], store: Store) -> None:
    from tests.benchmarks.causes.faults.training import Trainer

    trainer = Trainer()
    begun = time.monotonic()
    for number, plan in enumerate(missing, start=1):
        seed = zlib.crc32(f"{plan.name}/{plan.family}/{plan.strength}".encode()) % 10_000 + plan.seed
        store.add(plan, trainer.run(plan.fault, plan.family, seed))
        left = (time.monotonic() - begun) / number * (len(missing) - number)
        sys.stderr.write(f"\r{number}/{len(missing)} runs, {left / 60:.0f} min left  {plan.key:<60}")
        sys.stderr.flush()
    sys.stderr.write("\n")


def table(runs: Sequence[Scored], planned: int) -> Iterator[str]:
    """Yield the tables in Markdown, and each answer that is wrong or missing.

    Args:
        runs: that the cache holds.
        planned: runs of the whole benchmark.
    """
    planted = [run for run in runs if not run.plan.control]
    yield f"{len(runs)} runs of {planned} planned."
    yield ""
    yield "| planted | runs | named first or raised | effect within its 95 % interval | mean error, nats / points |"
    yield "|---|---:|---:|---:|---:|"
    for name in [*FAULTS, "**all**"]:
        chosen = [run for run in planted if name in (run.plan.name, "**all**")]
        named = sum(run.is_named for run in chosen)
        yield f"| {name} | {len(chosen)} | {named} | {_coverage([one for run in chosen for one in run.planted])} |"
    yield ""
    yield "| cause, in every run of which the truth is known | effect within its 95 % interval | mean error |"
    yield "|---|---:|---:|"
    for cause in NEW_TERMS:
        yield f"| {cause} | {_coverage([one for run in runs for one in run.effects if one.cause == cause])} |"
    controls = [run for run in runs if run.plan.control]
    false = [run for run in controls if run.is_false_alarm]
    yield ""
    yield f"Of {len(controls)} healthy runs {len(false)} have a new main cause or a finding."
    wrong = [run for run in planted if not run.is_named] + false
    yield from ("", "Answers that are wrong or missing:", "") if wrong else ()
    for run in wrong:
        said = ", ".join(f"{metric}: {main or 'no main cause'}" for metric, main in run.mains.items())
        why = f"; {run.reason}" if run.reason else ""
        yield f"- {run.plan.key}: {said}; raised: {', '.join(run.raised) or 'nothing'}{why}"
    missed = [(run, effect) for run in runs for effect in run.effects if not effect.is_inside]
    yield from ("", "Intervals that miss the truth:", "") if missed else ()
    for run, one in missed:
        measured = f"{one.value:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"
        yield f"- {run.plan.key}: {one.cause}, {one.metric} {measured}, true {one.truth:+.4f}"


def _coverage(effects: Sequence[Effect]) -> str:
    """Return how many intervals hold, and the mean error of both metrics, as two cells."""
    if not effects:
        return "– | –"
    errors = []
    for metric, scale, digits in zip(METRICS, (1.0, 100.0), (4, 2), strict=True):
        found = [abs(one.value - one.truth) * scale for one in effects if one.metric == metric]
        errors.append(f"{sum(found) / len(found):.{digits}f}" if found else "–")
    return f"{sum(one.is_inside for one in effects)} of {len(effects)} | {' / '.join(errors)}"


if __name__ == "__main__":
    main()
