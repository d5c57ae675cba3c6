"""Plants faults, trains them and scores what is said: `python -m tests.benchmarks.causes.faults`."""

import argparse
import dataclasses
import json
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.benchmarks.causes.faults.plans import CONTROLS, FAULTS, Fault

FAMILIES = ("MLP", "CNN", "LSTM")
_ROUNDING = 2e-5
_NEW_TERMS = ("leaked", "input_scale", "unfamiliar", "memorised")


@dataclass(frozen=True)
class Plan:
    """One run."""

    name: str
    family: str
    strength: int
    seed: int
    fault: Fault
    control: bool

    @property
    def key(self) -> str:
        """The run's name in the cache."""
        return f"{self.name}/{self.family}/{self.strength}/{self.seed}"


def plans(families: Sequence[str], seeds: int, controls: int) -> list[Plan]:
    """Return the runs, a seed at a time; a single family means another one for each fault, in turn."""
    planned = []
    for seed in range(seeds):
        for place, (name, strengths) in enumerate(FAULTS.items()):
            chosen = families if families else (FAMILIES[(place + seed) % len(FAMILIES)],)
            planned += [Plan(name, f, s, seed, fault, False) for f in chosen for s, fault in enumerate(strengths)]
    for number in range(controls):
        name = list(CONTROLS)[number % len(CONTROLS)]
        family = FAMILIES[number // len(CONTROLS) % len(FAMILIES)]
        planned.append(Plan(name, family, 0, 100 + number, CONTROLS[name], True))
    return planned


def main() -> None:
    """Train what the cache lacks, then print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.causes.faults", description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "tui-monitor" / "faults.jsonl")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--controls", type=int, default=75)
    parser.add_argument("--thin", action="store_true", help="one family for each fault instead of all")
    parser.add_argument("--report", action="store_true", help="train nothing; score what the cache holds")
    arguments = parser.parse_args()
    arguments.cache.parent.mkdir(parents=True, exist_ok=True)
    planned = plans(() if arguments.thin else FAMILIES, arguments.seeds, arguments.controls)
    known = _known(arguments.cache)
    if not arguments.report:
        _train([plan for plan in planned if plan.key not in known], arguments.cache)
        known = _known(arguments.cache)
    print("\n".join(table([(plan, known[plan.key]) for plan in planned if plan.key in known])))


def _known(cache: Path) -> dict[str, Any]:
    lines = cache.read_text(encoding="utf-8").splitlines() if cache.exists() else []
    return {content["key"]: content for content in map(json.loads, lines)}


def _train(missing: Sequence[Plan], cache: Path) -> None:
    from tests.benchmarks.causes.faults.training import Trainer

    trainer = Trainer()
    for number, plan in enumerate(missing, start=1):
        sys.stderr.write(f"\r{number}/{len(missing)} {plan.key:<60}")
        sys.stderr.flush()
        seed = zlib.crc32(f"{plan.name}/{plan.family}/{plan.strength}".encode()) % 10_000 + plan.seed
        scored = trainer.run(plan.fault, plan.family, seed)
        with cache.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": plan.key, **dataclasses.asdict(scored)}) + "\n")
    sys.stderr.write("\n")


Run = tuple[Plan, Any]


def table(runs: Sequence[Run]) -> Iterator[str]:
    """Yield the table in Markdown, and each answer that is wrong or missing."""
    yield "| planted | runs | named first or raised | effect within its 95 % interval | mean error, nats / points |"
    yield "|---|---:|---:|---:|---:|"
    planted = [run for run in runs if not run[0].control]
    for name in [*FAULTS, "**all**"]:
        chosen = [run for run in planted if name in (run[0].name, "**all**")]
        named = sum(is_named(plan, run) for plan, run in chosen)
        held = [entry for run in chosen for entry in intervals(*run)]
        inside = sum(low - _ROUNDING <= truth <= high + _ROUNDING for _, _, low, high, truth in held)
        errors = [
            [abs(effect - truth) for metric, effect, _, _, truth in held if metric == kind]
            for kind in ("loss", "accuracy")
        ]
        means = [sum(values) / len(values) if values else float("nan") for values in errors]
        cell = f"{means[0]:.4f} / {100 * means[1]:.2f}" if held else "–"
        yield f"| {name} | {len(chosen)} | {named} | {f'{inside} of {len(held)}' if held else '–'} | {cell} |"
    controls = [run for run in runs if run[0].control]
    false = [run for run in controls if _is_false_alarm(run[1])]
    yield ""
    yield f"Of {len(controls)} healthy runs {len(false)} have a new main cause or a finding."
    wrong = [run for run in planted if not is_named(*run)] + false
    yield from ("", "Answers that are wrong or missing:", "") if wrong else ()
    for plan, run in wrong:
        said = ", ".join(f"{metric}: {main or 'no main cause'}" for metric, main in run["mains"].items())
        why = f"; {run['reason']}" if run["reason"] else ""
        yield f"- {plan.key}: {said}; raised: {', '.join(run['raised']) or 'nothing'}{why}"


def is_named(plan: Plan, run: Any) -> bool:
    """Whether the planted fault is a gap's main cause, or its finding was raised."""
    fault = plan.fault
    if fault.finding and fault.finding in run["raised"]:
        return True
    if not fault.term or fault.term not in run["mains"].values():
        return False
    return not fault.part or run["lead"] == fault.part


def intervals(plan: Plan, run: Any) -> Iterator[tuple[str, float, float, float, float]]:
    """Yield metric, effect, both ends of its interval and the truth, where there are all of them."""
    for metric, (effect, low, high) in run["effects"].items():
        truth = run["truth"].get(metric)
        if None not in (effect, low, high, truth):
            yield metric, effect, low, high, truth


def _is_false_alarm(run: Any) -> bool:
    return bool(run["raised"]) or any(main in _NEW_TERMS for main in run["mains"].values())


if __name__ == "__main__":
    main()
