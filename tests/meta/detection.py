"""Measures what the suite detects and writes ``reports/DETECTION.md``.

``python -m tests.meta.detection [--jobs N]`` runs every liar on the smoke tier and the other edges,
and every mutant on the gate tier. The page has nothing in it that changes from run to run on one torch.
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
    """One liar on the smoke tier, on the other edges, and on the gate cases that have its words."""
    torch.set_num_threads(1)
    liar = LIARS[name]
    # First, because what some liars share between their instances outlives a case.
    example = hunt.telling_catch(liar)
    smoke = hunt.ids("smoke")
    edges = tuple(each for each in hunt.with_words("gate", ("edge",)) if each not in smoke)
    caught = hunt.all_catches(liar.factory, smoke)
    beyond = hunt.all_catches(liar.factory, edges)
    telling = set(hunt.with_words("smoke", liar.seen_in))
    listed = caught + beyond
    if example is not None and example.case_id not in {each.case_id for each in listed}:
        listed += (example,)
    return LiarRow(
        liar,
        len(caught),
        sum(each.case_id in telling for each in caught),
        len(telling),
        _column_counts(listed),
        example,
    )


def measure_all(jobs: int) -> List[LiarRow]:
    """Every liar, in the order of the registry."""
    if jobs == 1:
        return [measure(name) for name in LIARS]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(pool.map(measure, LIARS))


def main(arguments: Optional[List[str]] = None) -> int:
    """Writes the page. The exit status is 1 when something survives without an explanation."""
    parser = argparse.ArgumentParser(prog="python -m tests.meta.detection", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    jobs = parser.parse_args(arguments).jobs
    rows = measure_all(jobs)
    print(f"{len(rows)} liars measured; now the mutants", flush=True)
    outcomes = list(run_all(jobs))
    problems = [
        f"{row.liar.name} is not caught through {row.liar.through}"
        for row in rows
        if row.example is None
    ]
    problems += unexplained(outcomes, equivalent.TABLE)
    page = render(rows, operator_rows(outcomes), problems)
    PAGE.write_text(page, encoding="utf-8", newline="\n")
    print(f"wrote {PAGE}")
    for problem in problems:
        print(f"ERROR: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
