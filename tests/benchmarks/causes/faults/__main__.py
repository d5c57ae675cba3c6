"""Plants faults, trains them and scores what is said: `python -m tests.benchmarks.causes.faults`."""

import argparse
import os
import re
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.benchmarks.causes.faults.report import misses, report
from tests.benchmarks.causes.faults.scoring import score
from tests.benchmarks.causes.faults.store import Plan, Store, plans

FAMILIES = ("MLP", "CNN", "LSTM")


def main() -> None:
    """Train what the cache lacks, then print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.causes.faults", description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "tui-monitor" / "faults")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--controls", type=int, default=75)
    parser.add_argument("--only", default="", metavar="TEXT", help="runs alone whose key holds it")
    parser.add_argument("--report", action="store_true", help="train nothing; score what the cache holds")
    parser.add_argument("--into", type=Path, metavar="README", help="write the tables between its marks, too")
    arguments = parser.parse_args()
    store = Store(arguments.cache)
    planned = [p for p in plans(FAMILIES, arguments.seeds, arguments.controls) if arguments.only in p.key]
    if not arguments.report:
        _train([plan for plan in planned if plan not in store], store)
    runs = score(planned, store)
    tables = "\n".join(report(runs, len(planned))) + "\n"
    print(tables)
    print("\n".join(misses(runs)))
    if arguments.into is not None:
        text = arguments.into.read_text(encoding="utf-8")
        marked = re.compile(r"(<!-- faults -->\n).*?(<!-- /faults -->)", re.DOTALL)
        arguments.into.write_text(marked.sub(lambda found: found[1] + tables + found[2], text), encoding="utf-8")


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


if __name__ == "__main__":
    main()
