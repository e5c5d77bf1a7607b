"""Measures that verdicts depend on nothing but the case: no false alarm on a correct module.

``python -m tests.meta.stability`` runs the gate tier with 200 other input seeds, with 1, 2 and 4 torch
threads, in shuffled orders, and under pytest with several numbers of workers, and prints how many
verdicts differ from the plain run's. ``--write FILE`` also stores the table.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import torch

from cases import catalogue
from oracle.semantics import parse_release, semantics
from reports.markdown import table
from reports.record import read
from tests.subject.module import eager
from tests.verdict.verdict import adjudicate

ROOT = Path(__file__).parents[2]
Verdicts = Dict[str, str]


class Tallied(NamedTuple):
    """A condition: how many runs and verdicts, and the verdicts that differ from the plain run."""

    condition: str
    runs: int
    verdicts: int
    different: Tuple[str, ...]


class Task(NamedTuple):
    """A run in a process of its own."""

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
        decided = adjudicate(
            catalogue.find(each), eager(torch.nn.BatchNorm2d), rules, threads=torch.get_num_threads()
        )
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


def _seeds(count: int, plain: Verdicts, jobs: int, shard: Tuple[int, int]) -> Tallied:
    tasks = [Task(seed, 1, None, ("matrix",), shard) for seed in range(1, count + 1)]
    return _compared("input seeds", tasks, plain, jobs, (f"seed {task.seed}" for task in tasks))


def _threads(count: int, plain: Verdicts, jobs: int, shard: Tuple[int, int]) -> Tallied:
    tasks = [Task(0, each, None, catalogue.FAMILIES, shard) for each in (1, 2, 4)]
    labels = (f"{task.threads} thread(s)" for task in tasks)
    return _compared("torch threads 1, 2, 4", tasks, plain, 1, labels)


def _orders(count: int, plain: Verdicts, jobs: int, shard: Tuple[int, int]) -> Tallied:
    tasks = [Task(0, 1, number, catalogue.FAMILIES, shard) for number in range(3)]
    return _compared("shuffled orders", tasks, plain, jobs, (f"shuffle {n}" for n in range(3)))


def _workers(count: int, plain: Verdicts, jobs: int, shard: Tuple[int, int]) -> Tallied:
    runs = {workers: _under_pytest(workers, shard) for workers in (0, 1, 2, 3)}
    different = [
        text
        for workers, verdicts in runs.items()
        for text in _different(verdicts, plain, f"-n {workers}")
    ]
    total = sum(map(len, runs.values()))
    return Tallied("pytest -n 0, 1, 2, 3", len(runs), total, tuple(different))


CONDITIONS: Dict[str, Callable[[int, Verdicts, int, Tuple[int, int]], Tallied]] = {
    "seeds": _seeds,
    "threads": _threads,
    "orders": _orders,
    "workers": _workers,
}


def measure(
    conditions: Sequence[str], seeds: int, jobs: int, shard: Tuple[int, int] = (1, 1)
) -> List[Tallied]:
    """Compare the conditions with the plain run: seed 0, one thread, in order, without workers."""
    plain = _verdicts(Task(0, 1, None, catalogue.FAMILIES, shard))
    return [CONDITIONS[each](seeds, plain, jobs, shard) for each in conditions]


def _kept(page_before: str, results: Sequence[Tallied]) -> List[Tuple[str, ...]]:
    """Return the rows of an earlier page on conditions that were not measured again."""
    measured = {each.condition for each in results}
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in page_before.splitlines()
        if re.match(r"\| [^|]+ \| [0-9]+ \|", line)
    ]
    return [row for row in rows if row[0] not in measured]


def page(results: Sequence[Tallied], page_before: str = "") -> str:
    """Return the tally as a Markdown page; unmeasured rows stay as ``page_before`` has them."""
    rows = _kept(page_before, results)
    rows += [
        (each.condition, str(each.runs), f"{each.verdicts:,}", str(len(each.different)))
        for each in results
    ]
    lines = [
        "# Stability of the verdicts",
        "",
        f"torch {torch.__version__}, gate tier. Regenerate: `python -m tests.meta.stability --write "
        "reports/STABILITY.md`; `--only` renews some rows and keeps the others.",
        "",
        *table(("condition", "runs", "verdicts", "different from the plain run"), rows),
    ]
    for each in results:
        lines += [f"- {text}" for text in each.different]
    return "\n".join(lines) + "\n"


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Return the exit status: 1 when any verdict differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.meta.stability", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument("--every", type=int, default=1, help="run every N-th case only (1)")
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument(
        "--only", nargs="+", choices=CONDITIONS, default=list(CONDITIONS), help="some conditions"
    )
    options = parser.parse_args(arguments)
    results = measure(options.only, options.seeds, options.jobs, (1, options.every))
    written = Path(options.write) if options.write else None
    before = written.read_text(encoding="utf-8") if written is not None and written.exists() else ""
    text = page(results, before)
    sys.stdout.write(text)
    if written is not None:
        written.write_text(text, encoding="utf-8")
    return int(any(each.different for each in results))


if __name__ == "__main__":
    sys.exit(main())
