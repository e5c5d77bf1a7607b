"""Shows that verdicts depend on nothing but the case: no false alarm on a correct module.

``python -m tests.meta.stability`` runs the gate tier with 200 other input seeds, with 1, 2 and 4
torch threads, in shuffled orders, and under pytest with several numbers of workers, and prints
how many verdicts differ from the plain run's. ``--write FILE`` also stores the table.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import torch

from cases import catalogue
from oracle.semantics import parse_release, semantics
from reports.markdown import table
from reports.record import read
from tests.verdict import adjudicate

ROOT = Path(__file__).parents[2]
Verdicts = Dict[str, str]


class Tallied(NamedTuple):
    """One condition: how many runs and verdicts, and the verdicts that differ from the plain run."""

    condition: str
    runs: int
    verdicts: int
    different: Tuple[str, ...]


class Task(NamedTuple):
    """One run in a process of its own."""

    seed: int
    threads: int
    shuffle: Optional[int]
    families: Tuple[str, ...]
    shard: Tuple[int, int]


def _verdicts(task: Task) -> Verdicts:
    torch.set_num_threads(task.threads)
    rules = semantics(parse_release(torch.__version__))
    ids: List[str] = []
    for family in task.families:
        suffix = f"-seed{task.seed}" if task.seed else ""
        ids += [f"{each}{suffix}" for each in catalogue.select(family, "gate", task.shard)]
    if task.shuffle is not None:
        random.Random(task.shuffle).shuffle(ids)
    outcomes = {}
    for each in ids:
        decided = adjudicate(catalogue.find(each), torch.nn.BatchNorm2d, rules)
        outcomes[each.partition("-seed")[0]] = decided.outcome
    return outcomes


def _different(verdicts: Verdicts, plain: Verdicts, label: str) -> List[str]:
    return [
        f"{each} ({label}): {outcome}, plainly {plain[each]}"
        for each, outcome in verdicts.items()
        if outcome != plain[each]
    ]


def _compared(
    condition: str, tasks: Sequence[Task], plain: Verdicts, jobs: int, labels: Iterable[str]
) -> Tallied:
    different: List[str] = []
    count = 0
    with multiprocessing.Pool(jobs, maxtasksperchild=1) as pool:
        for label, verdicts in zip(labels, pool.imap(_verdicts, tasks)):
            count += len(verdicts)
            different += _different(verdicts, plain, label)
    return Tallied(condition, len(tasks), count, tuple(different))


def _under_pytest(workers: int, shard: Tuple[int, int]) -> Verdicts:
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.jsonl"
        command = [sys.executable, "-m", "pytest", "tests/conformance", "-q"]
        command += ["-p", "no:cacheprovider", "-n", str(workers), f"--report={record}"]
        command += ["--shard", f"{shard[0]}/{shard[1]}"]
        subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
        return {row.id: row.outcome for row in read(record).rows}


def measure(seeds: int, jobs: int, shard: Tuple[int, int] = (1, 1)) -> List[Tallied]:
    """Every condition against the plain run: seed 0, one thread, in order, without workers."""
    families = catalogue.FAMILIES
    base = Task(0, 1, None, families, shard)
    plain = _verdicts(base)
    matrix = ("matrix",)
    results = [
        _compared(
            "input seeds",
            [Task(seed, 1, None, matrix, shard) for seed in range(1, seeds + 1)],
            plain,
            jobs,
            (f"seed {seed}" for seed in range(1, seeds + 1)),
        ),
        _compared(
            "torch threads 1, 2, 4",
            [base._replace(threads=count) for count in (1, 2, 4)],
            plain,
            1,
            ("1 thread", "2 threads", "4 threads"),
        ),
        _compared(
            "shuffled orders",
            [base._replace(shuffle=number) for number in range(3)],
            plain,
            jobs,
            (f"shuffle {number}" for number in range(3)),
        ),
    ]
    runs = {count: _under_pytest(count, shard) for count in (0, 1, 2, 3)}
    different = [
        text
        for count, verdicts in runs.items()
        for text in _different(verdicts, plain, f"-n {count}")
    ]
    total = sum(map(len, runs.values()))
    results.append(Tallied("pytest -n 0, 1, 2, 3", len(runs), total, tuple(different)))
    return results


def page(results: Sequence[Tallied]) -> str:
    """The tally as a Markdown page."""
    rows = [
        (each.condition, str(each.runs), f"{each.verdicts:,}", str(len(each.different)))
        for each in results
    ]
    lines = [
        "# Stability of the verdicts",
        "",
        f"torch {torch.__version__}, gate tier. Regenerate: `python -m tests.meta.stability --write "
        "reports/STABILITY.md`.",
        "",
        *table(("condition", "runs", "verdicts", "different from the plain run"), rows),
    ]
    for each in results:
        lines += [f"- {text}" for text in each.different]
    return "\n".join(lines) + "\n"


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Exit status 1 when any verdict differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.meta.stability", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument("--every", type=int, default=1, help="run every N-th case only (1)")
    parser.add_argument("--write", metavar="FILE")
    options = parser.parse_args(arguments)
    results = measure(options.seeds, options.jobs, (1, options.every))
    text = page(results)
    sys.stdout.write(text)
    if options.write:
        Path(options.write).write_text(text, encoding="utf-8")
    return int(any(each.different for each in results))


if __name__ == "__main__":
    sys.exit(main())
