"""Measures what the suite detects and writes ``reports/DETECTION.md``.

``python -m tests.meta.detection [--jobs N] [--every N]`` runs every liar on the smoke tier and on the cases that
have its words, and every N-th mutant on the gate tier; all mutants take hours. The page has nothing in it that
changes from run to run on one torch.
"""

from __future__ import annotations

import argparse
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import torch

from tests.meta.detection_page import COLUMNS, LiarRow, render
from tests.meta.liars import LIARS, hunt
from tests.meta.liars.hunt import Catch
from tests.meta.mutants import equivalent
from tests.meta.mutants.run import run_all
from tests.meta.mutants.tally import operator_rows, unexplained

PAGE = Path(__file__).parents[2] / "reports" / "DETECTION.md"


def _column_counts(catches: Sequence[Catch]) -> Tuple[int, ...]:
    return tuple(
        sum(any(re.match(pattern, each) for each in caught.quantities) for caught in catches)
        for _, pattern in COLUMNS
    )


def measure(name: str) -> LiarRow:
    """Run one liar on the cases that have its words, and on the smoke tier until some case catches it."""
    torch.set_num_threads(1)
    liar = LIARS[name]
    # This comes first, because some liars share data between instances that outlives a case.
    example = hunt.telling_catch(liar)
    telling = hunt.with_words("smoke", liar.seen_in)
    caught = hunt.all_catches(liar.factory, telling)
    smoke = caught[0] if caught else hunt.first_catch(liar.factory, hunt.cheapest_first("smoke"))
    listed = {each.case_id: each for each in (*caught, example, smoke) if each is not None}
    counts = _column_counts(list(listed.values()))
    return LiarRow(liar, smoke is not None, len(caught), len(telling), counts, example)


def measure_all(jobs: int) -> List[LiarRow]:
    """Run every liar, in the order of the registry."""
    if jobs == 1:
        return [measure(name) for name in LIARS]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(pool.map(measure, LIARS))


def main(arguments: Optional[List[str]] = None) -> int:
    """Write the page. The exit status is 1 when something survives without an explanation."""
    parser = argparse.ArgumentParser(prog="python -m tests.meta.detection", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--every", type=int, default=1, help="run every N-th mutant (1, all)")
    given = parser.parse_args(arguments)
    rows = measure_all(given.jobs)
    print(f"{len(rows)} liars measured; now the mutants", flush=True)
    outcomes = list(run_all(given.jobs, every=given.every))
    ran = {(each.source, each.mutant.key) for each in outcomes}
    listed = [each for each in equivalent.TABLE if given.every == 1 or (each.source, each.key) in ran]
    problems = [
        f"{row.liar.name} is not caught through {row.liar.through}"
        for row in rows
        if row.example is None
    ]
    problems += unexplained(outcomes, listed)
    page = render(rows, operator_rows(outcomes), problems, given.every)
    PAGE.write_text(page, encoding="utf-8", newline="\n")
    print(f"wrote {PAGE}")
    for problem in problems:
        print(f"ERROR: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
