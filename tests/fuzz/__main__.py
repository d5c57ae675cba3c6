"""Looks for damage that breaks an import: `python -m tests.fuzz --seconds 60` (`pip install ".[fuzz]"`).

Guided by coverage, atheris damages real layouts and checks what the tests check. It ends after its time, with exit code
0 where nothing was found; what breaks an import is written to `crash-*` by libFuzzer.
"""

import argparse
import sys

import atheris

with atheris.instrument_imports(include=["tui_monitor.importers"]):
    from tests.fuzz.damaging import check, damaged, seeds

_MOST_MEMORY = 2048
"""Mebibytes."""
_LONGEST_INPUT = 20
"""Seconds."""


def _one(data: bytes) -> None:
    provider = atheris.FuzzedDataProvider(data)
    check(damaged(lambda below: provider.ConsumeIntInRange(0, below - 1) if below > 1 else 0))


def main() -> None:
    """Run for the time asked for, on one core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    asked, others = parser.parse_known_args()
    seeds()
    limits = [f"-max_total_time={asked.seconds}", f"-timeout={_LONGEST_INPUT}", f"-rss_limit_mb={_MOST_MEMORY}"]
    atheris.Setup([sys.argv[0], *limits, "-max_len=256", "-len_control=0", *others], _one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
