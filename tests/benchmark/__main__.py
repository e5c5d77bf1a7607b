"""Measures what the suite costs on this machine.

``python -m tests.benchmark --write reports/BENCHMARK.md``. Numbers are medians of ``--repeats``
runs, taken in turn; ``--short`` takes everything once. ``--sample`` measures a part of the liars. Run it
in an environment of torch, numpy, pytest, pytest-xdist and expecttest alone: other pytest plugins
take time of their own.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from pathlib import Path
from typing import List, Optional, Sequence

from tests.benchmark.measures import Row, measure
from tests.benchmark.processes import python

SAMPLE = 30
"""With ``--short``, one liar in this many is measured, unless ``--sample`` says otherwise."""

NOTE = """\
Seconds are those of whole processes, start-up and `import torch` included. Forwards a second and the cost
of a case are taken inside one process, without start-up and collection. A wrong module is run as
`pytest -x --subject`, until its first finding is reported and the process has ended. PyTorch's module
tests are its ModuleInfo entries for BatchNorm2d in its own harness: a forward, a non-contiguous input
against a contiguous one, gradcheck."""


def page(rows: Sequence[Row], repeats: int) -> str:
    """Return the table as a Markdown page, with the machine named."""
    torch = python("import torch; print(torch.__version__)").output.strip()
    system = f"{platform.system()} {platform.machine()}; {os.cpu_count()} cores; {_processor()}"
    versions = f"Python {platform.python_version()}; torch {torch}"
    lines = [
        "# Benchmark",
        "",
        f"{system}; {versions}.",
        f"Medians of {repeats}, taken in turn. Regenerate: `nox -s benchmark`.",
        "",
        NOTE,
        "",
        "| measure | measured | must | aim | |",
        "| --- | --: | --: | --: | --- |",
    ]
    for row in rows:
        value = f"{row.value:.2f} {row.unit}"
        lines.append(f"| {row.measure} | {value} | {row.must} | {row.aim} | {row.verdict} |")
    return "\n".join([*lines, "", *_missed(rows)]) + "\n"


def _missed(rows: Sequence[Row]) -> List[str]:
    """Return a sentence that names every bound that must hold and does not."""
    missed = [row for row in rows if row.met(row.must) is False]
    if not missed:
        return ["Every bound that must hold does."]
    named = "; ".join(f"{row.measure}: {row.value:.2f} {row.unit}, must be {row.must}" for row in missed)
    return [f"Missed: {named}."]


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or "unknown processor"
    match = re.search(r"model name\s*:\s*(.*)", text)
    return match.group(1) if match else "unknown processor"


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Return the exit status: 1 only with --strict, when a bound that must hold does not."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="runs of each measure (5)")
    parser.add_argument("--short", action="store_true", help="once each, and a sample of the liars")
    parser.add_argument("--sample", type=int, help=f"one liar in this many (1; {SAMPLE} with --short)")
    parser.add_argument("--strict", action="store_true", help="fail when a must is missed")
    parser.add_argument("--write", metavar="FILE", help="also write the page")
    options = parser.parse_args(arguments)
    repeats = 1 if options.short else options.repeats
    sample = options.sample or (SAMPLE if options.short else 1)
    rows = measure(repeats, sample)
    text = page(rows, repeats)
    sys.stdout.write(text)
    if options.write:
        Path(options.write).write_text(text, encoding="utf-8")
    return int(options.strict and any(row.met(row.must) is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
