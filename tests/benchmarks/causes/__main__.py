"""Plants causes, trains them and scores the explanations: `python -m tests.benchmarks.causes`."""

import argparse
import os
import re
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.benchmarks.causes.report import report
from tests.benchmarks.causes.scoring import score
from tests.benchmarks.causes.store import SEEDS, Plan, Store, Stored, plans

FAMILIES = ("MLP", "CNN", "LSTM")


def main() -> None:
    """Train what the cache lacks, then print the tables of the README."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.causes", description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "tui-monitor" / "causes")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="of each cause; fewer say something of all")
    parser.add_argument("--report", action="store_true", help="train nothing; score what the cache holds")
    parser.add_argument("--into", type=Path, metavar="README", help="write the tables between its marks, too")
    arguments = parser.parse_args()
    store = Store(arguments.cache)
    planned = plans(FAMILIES, arguments.seeds)
    if not arguments.report:
        _train([plan for plan in planned if plan not in store], len(planned), store)
    tables = report(score(planned, store), len(plans(FAMILIES)))
    print(tables)
    if arguments.into is not None:
        text = arguments.into.read_text(encoding="utf-8")
        marked = re.compile(r"(<!-- causes -->\n).*?(<!-- /causes -->)", re.DOTALL)
        arguments.into.write_text(marked.sub(lambda found: found[1] + tables + found[2], text), encoding="utf-8")


def _train(missing: list[Plan], total: int, store: Store) -> None:
    from tests.benchmarks.causes.training import Trainer

    trainer = Trainer()
    begun = time.monotonic()
    for number, plan in enumerate(missing, start=1):
        outcome = trainer.run(plan.recipe, plan.family, plan.seed)
        store.add(plan, Stored(outcome.history, outcome.truth, outcome.noise, outcome.probe, outcome.validation))
        done = total - len(missing) + number
        left = (time.monotonic() - begun) / number * (len(missing) - number)
        bar = "█" * (30 * done // total)
        sys.stderr.write(f"\r{bar:░<30} {done}/{total} runs, {left / 60:.0f} min left  {plan.key[:50]:<50}")
        sys.stderr.flush()
    sys.stderr.write("\n")


if __name__ == "__main__":
    main()
