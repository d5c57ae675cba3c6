"""Prints the performance table of the README: `python -m tests.benchmarks`. Nothing here gates the tests."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.benchmarks.reading import growth, seeking
from tests.benchmarks.recording import recording_cost


def main() -> None:
    """Measure and print."""
    wall, cpu, own, size = recording_cost()
    grown = growth()
    usual, longest = seeking()
    print("| figure | here |")
    print("|---|---|")
    print(f"| training time recorded ÷ bare, question's model, probes off, wall | {wall} |")
    print(f"| the same, CPU | {cpu} |")
    print(f"| our Python in the loop, median µs a batch | {own:.0f} |")
    print(f"| bytes a batch on disk | {size:.0f} |")
    read = f"{grown['open_large']:.2f} s (10⁴: {grown['open_small']:.2f} s)"
    print(f"| all of 10⁷ batches read to a full chart | {read} |")
    print(f"| memory of 10⁷ batches beyond 10⁴ | {grown['memory']:.0f} MiB |")
    print(f"| data of one frame, 10⁷ ÷ 10⁴ batches | {grown['frame_ratio']:.2f} ({1e3 * grown['frame']:.1f} ms) |")
    print(f"| seek anywhere in 10⁶ batches, ms (longest of 300) | {1e3 * usual:.1f} ({1e3 * longest:.1f}) |")


if __name__ == "__main__":
    main()
