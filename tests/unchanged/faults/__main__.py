"""Makes every function that a recorded fit reaches fail, one at a time: `python -m tests.unchanged.faults`."""

import argparse
import faulthandler
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.unchanged.faults.instrument import instrument
from tests.unchanged.faults.judging import Fault, Verdict, coverage, judge, listing, summary
from tests.unchanged.faults.reach import MODES
from tests.unchanged.forked import forked

PACKAGE = Path(__file__).parents[3] / "tui_monitor"
PARTS = ("training", "run_log")
_LONGEST_SECONDS = 120
_MOST_FITS = 60
"""Fits in one process, which keeps some memory of each."""


def main(arguments: list[str]) -> int:
    """Inject every fault, print the table, and return 0 if training was the same in all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.unchanged.faults", description=__doc__)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), help="of the package, whose functions are to fail")
    parser.add_argument("--only", nargs="+", default=[""], help="functions whose names hold one of these texts")
    parser.add_argument("--kinds", nargs="+", default=[], help="names of fits; by default all of them")
    parser.add_argument("--every-kind", action="store_true", help="in every kind of fit that reaches a function")
    parser.add_argument("--modes", nargs="+", default=list(MODES), help="which calls fail")
    parser.add_argument("--sample", type=int, default=0, help="this many faults, spread over all of them")
    parser.add_argument("--list", action="store_true", help="inject nothing; print each function and who reaches it")
    parser.add_argument("--quiet", action="store_true", help="print the harmful faults and the summary alone")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        functions = _load_instrumented(Path(folder), tuple(given.parts))
        return _inject_all(given, functions, Path(folder) / "verdicts.jsonl")


def _load_instrumented(folder: Path, parts: tuple[str, ...]) -> list[str]:
    """Import the frameworks and an instrumented copy of the monitor, before any fork."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    functions = instrument(PACKAGE, folder, parts)
    sys.path.insert(0, str(folder))
    import keras
    import tensorflow as tf
    import tf_keras  # noqa: F401

    from tests.unchanged.faults import reach
    from tui_monitor import run_log

    if not str(run_log.__file__).startswith(str(folder)):
        raise RuntimeError("the monitor was imported before its instrumented copy")
    keras.backend.backend()
    reach.reach = tf.autograph.experimental.do_not_convert(reach.reach)
    return functions


def _inject_all(given: argparse.Namespace, functions: Sequence[str], results: Path) -> int:
    from tests.unchanged.faults.fitting import TRAINING
    from tests.unchanged.faults.kinds import KINDS

    kinds = [kind for kind in KINDS if not given.kinds or kind.name in given.kinds]
    unknown = [kind.forced for kind in kinds if kind.forced and f"{TRAINING}.{kind.forced}" not in functions]
    if unknown and "training" in given.parts:
        raise SystemExit(f"no such functions, which are to fail first: {', '.join(unknown)}")
    bare, plain, held, reached = _discover([kind.name for kind in kinds], results)
    for kind in kinds:
        changed = [part for part, value in bare[kind.name].items() if plain[kind.name].get(part) != value]
        print(f"{kind.name}: reaches {len(reached[kind.name])} functions; without a fault differs in: {changed}")
    faults = list(_faults(given, reached, [(kind.name, kind.legacy) for kind in kinds]))
    if given.list:
        print("\n".join([*listing(reached), *coverage(functions, reached, [])]))
        return 0
    print(f"{len(faults)} faults", flush=True)
    if 0 < given.sample < len(faults):
        faults = faults[:: len(faults) // given.sample]
    begun, verdicts = time.monotonic(), []
    for verdict in _injected(faults, (bare, plain, held), results):
        verdicts.append(verdict)
        if not given.quiet or not verdict.is_harmless:
            print(verdict.row(), flush=True)
    print("\n".join(summary(verdicts)))
    print("\n".join(coverage(functions, reached, verdicts)))
    print(f"{time.monotonic() - begun:.0f} s")
    return 0 if all(verdict.is_harmless for verdict in verdicts) else 1


def _faults(given: argparse.Namespace, reached: dict[str, Any], kinds: Iterable[tuple[str, bool]]) -> Iterator[Fault]:
    """Yield the faults: each function in the first kind of each Keras that reaches it, or in all of them."""
    done: set[tuple[str, bool]] = set()
    for kind, legacy in kinds:
        for function, calls in reached[kind].items():
            is_asked_for = any(text in function for text in given.only)
            if not is_asked_for or ((function, legacy) in done and not given.every_kind):
                continue
            done.add((function, legacy))
            for mode in given.modes:
                if mode != MODES[1] or calls > 1:
                    yield Fault(kind, function, mode)


def _discover(kinds: Sequence[str], results: Path) -> tuple[dict[str, Any], ...]:
    """Return, by kind, what it shows bare and recorded without a fault, what the run holds then, and the calls."""

    def discover() -> int:
        from tests.unchanged.faults.fitting import fit_kind
        from tests.unchanged.faults.kinds import KINDS
        from tests.unchanged.faults.reach import Watch

        for kind in KINDS:
            if kind.name in kinds:
                fit_kind(kind)  # what is made once in a process is made by now
                bare, watch = fit_kind(kind), Watch()
                plain = fit_kind(kind, watch)
                found = {"kind": kind.name, "bare": bare.parts, "plain": plain.parts, "held": plain.held}
                found["reached"] = watch.calls
                with results.open("a") as file:
                    file.write(json.dumps(found) + "\n")
        return 0

    ended = forked(discover)
    if ended.code:
        raise RuntimeError(f"the fits themselves failed:\n{ended.errors}")
    found = [json.loads(line) for line in results.read_text().splitlines()]
    results.unlink()
    return tuple({each["kind"]: each[part] for each in found} for part in ("bare", "plain", "held", "reached"))


def _injected(faults: list[Fault], expected: Sequence[dict[str, Any]], results: Path) -> Iterator[Verdict]:
    """Yield a verdict for each fault; a fresh fork goes on after one that ends the process or leaves it changed."""
    done = 0
    while done < len(faults):
        batch = faults[done : done + _MOST_FITS]
        results.write_text("")
        ended = forked(lambda batch=batch: _inject(batch, expected, results), limit_seconds=3600)  # type: ignore[misc]
        verdicts = [Verdict(Fault(**line.pop("fault")), **line) for line in map(json.loads, results.open())]
        yield from verdicts
        done += len(verdicts)
        if len(verdicts) < len(batch) and ended.code:
            what = "hangs" if "Timeout" in ended.errors else f"ends the process with {ended.code}"
            yield Verdict(batch[len(verdicts)], raised=1, problems=[what])
            done += 1


def _inject(faults: Sequence[Fault], expected: Sequence[dict[str, Any]], results: Path) -> int:
    """Inject faults, one fit each, and write the verdicts, until one leaves this process changed."""
    from tests.unchanged.faults.fitting import fit_kind
    from tests.unchanged.faults.kinds import KINDS
    from tests.unchanged.faults.reach import Watch

    kinds = {kind.name: kind for kind in KINDS}
    warm: set[str] = set()
    for fault in faults:
        kind = kinds[fault.kind]
        faulthandler.dump_traceback_later(_LONGEST_SECONDS, exit=True)
        if kind.name not in warm:
            warm.add(kind.name)
            fit_kind(kind)
        watch = Watch(fault.function, fault.mode)
        outcome = fit_kind(kind, watch)
        known = (each[kind.name] for each in expected)
        verdict = judge(fault, watch.raised, outcome, *known, first_failures=int(bool(kind.forced)))
        with results.open("a") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")
        if verdict.problems and fit_kind(kind).parts != expected[0][kind.name]:
            return 0
        faulthandler.cancel_dump_traceback_later()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
