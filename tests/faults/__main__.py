"""Prints the table of faults: `python -m tests.faults`."""

import sys
import tempfile
from pathlib import Path

from tests.faults.child import CHILD_FAULTS
from tests.faults.content import CONTENT_FAULTS
from tests.faults.screens import SCREEN_FAULTS
from tests.faults.table import rows


def main() -> int:
    """Inject every fault, print the table and return 0 if none did harm."""
    outcomes = []
    for fault in (*CHILD_FAULTS, *SCREEN_FAULTS, *CONTENT_FAULTS):
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(fault(Path(folder)))
    print("\n".join(rows(outcomes)))
    return 0 if all(outcome.is_harmless for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
