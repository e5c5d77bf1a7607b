"""``python -m tests.meta.mutants``: runs every mutant and prints the tally."""

from __future__ import annotations

import argparse
import sys
from typing import List, Optional

from tests.meta.mutants import equivalent
from tests.meta.mutants.run import Outcome, run_all
from tests.meta.mutants.tally import operator_rows, unexplained


def main(arguments: Optional[List[str]] = None) -> int:
    """Return the exit status: 1 when a survivor is not explained, or an explained mutant is killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.meta.mutants", description=__doc__)
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="run the listed survivors on the whole gate tier too",
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    chosen = parser.parse_args(arguments)
    found: List[Outcome] = []
    for outcome in run_all(chosen.jobs, chosen.thorough):
        found.append(outcome)
        if outcome.caught is None:
            key = outcome.mutant.key
            print(
                f"survives: {outcome.source} {key.function}: {key.line}: {key.change}", flush=True
            )
    for row in operator_rows(found):
        print(f"{row.source:7} {row.operator:18} {row.killed:4} of {row.total:4} killed")
    problems = unexplained(found, equivalent.TABLE)
    for problem in problems:
        print(f"ERROR: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
