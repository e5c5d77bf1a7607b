"""Measures what the suite costs on this machine.

``python -m tests.benchmark --write reports/BENCHMARK.md``. Every time is the median of ``--repeats``
runs; ``--short`` runs everything once. Times are whole processes unless a row says otherwise.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

ROOT = Path(__file__).parents[1]
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")

NO_OPS = """
import pytest
import torch

@pytest.mark.parametrize("number", range({count}))
def test_nothing(number):
    pass
"""

INSIDE = """
import sys, time
sys.path.insert(0, {root!r})
import torch
from cases import catalogue
from oracle.semantics import parse_release, semantics
from tests import lockstep
torch.set_num_threads(1)
spent = dict.fromkeys(("forward", "oracle"), 0.0)

def timed(function, name):
    def wrapper(*arguments):
        start = time.perf_counter()
        try:
            return function(*arguments)
        finally:
            spent[name] += time.perf_counter() - start
    return wrapper

class Subject(torch.nn.BatchNorm2d):
    __call__ = timed(torch.nn.BatchNorm2d.__call__, "forward")

lockstep.advance = timed(lockstep.advance, "oracle")
lockstep.compare = timed(lockstep.compare, "oracle")
rules = semantics(parse_release(torch.__version__))
start, forwards = time.perf_counter(), 0
for each in catalogue.select("matrix", {tier!r}, (1, {every})):
    forwards += lockstep.run(catalogue.find(each), Subject, rules).forwards
total = time.perf_counter() - start
print(spent["forward"], spent["oracle"], total, forwards)
"""

MODULE_TESTS = """
import time
import torch
from torch.testing._internal.common_modules import module_db
torch.set_num_threads(1)
infos = [info for info in module_db if info.module_cls is torch.nn.BatchNorm2d]
start, forwards = time.perf_counter(), 0
while time.perf_counter() - start < 2.0:
    for info in infos:
        for training in (True, False):
            inputs = info.module_inputs_func(
                info, device="cpu", dtype=torch.float32, requires_grad=False, training=training
            )
            for each in inputs:
                made, given = each.constructor_input, each.forward_input
                module = info.module_cls(*made.args, **made.kwargs)
                module.train(training)
                output = module(*given.args, **given.kwargs)
                if each.reference_fn is not None:
                    expected = each.reference_fn(module, list(module.parameters()), *given.args)
                    torch.testing.assert_close(output, expected)
                forwards += 1
print(forwards / (time.perf_counter() - start))
"""


class Row(NamedTuple):
    """One measure: its value and the bounds it is held to, as text and as a test."""

    measure: str
    value: float
    unit: str
    must: str
    aim: str

    def met(self, bound: str) -> Optional[bool]:
        """Whether the value meets ``<= x`` or ``>= x``; None for an empty bound."""
        match = re.match(r"(<=|>=) ([0-9.]+)", bound)
        if match is None:
            return None
        limit = float(match.group(2))
        return self.value <= limit if match.group(1) == "<=" else self.value >= limit


def _run(command: Sequence[str], cwd: Path = ROOT) -> Tuple[float, float, str]:
    """Wall seconds, peak memory in MB (0 where the system does not tell), and standard output."""
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, stdout=output, stderr=subprocess.STDOUT)
        peak = 0.0
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.WEXITSTATUS(status)
            peak = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
        process.wait()
        seconds = time.perf_counter() - start
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}:\n{text[-800:]}")
    return seconds, peak, text


def _median(repeats: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(repeats))


def _python(code: str) -> List[float]:
    return [float(word) for word in _run([sys.executable, "-c", code])[2].split()]


def _cases() -> int:
    text = _run([*PYTEST, "tests/conformance", "--collect-only"])[2]
    match = re.search(r"(\d+) tests collected", text)
    if match is None:
        raise RuntimeError(f"pytest did not say how many tests it collected:\n{text[-300:]}")
    return int(match.group(1))


def _no_ops(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "test_nothing.py").write_text(NO_OPS.format(count=count), encoding="ascii")
        return _run(PYTEST, path)[0]


def _inside(tier: str, every: int) -> List[float]:
    return _python(INSIDE.format(root=str(ROOT), tier=tier, every=every))


def measure(repeats: int) -> List[Row]:
    """Every row of the table."""
    gate = [*PYTEST, "tests/conformance"]
    count = _cases()
    serial_runs = [_run(gate) for _ in range(repeats)]
    serial = statistics.median(run[0] for run in serial_runs)
    peak = max(run[1] for run in serial_runs)
    no_ops = _median(repeats, lambda: _no_ops(count))
    parallel = _median(repeats, lambda: _run([*gate, "-n", "2"])[0])
    collect = _median(repeats, lambda: _run([*gate, "--collect-only"])[0])
    smoke = _median(repeats, lambda: _run([*gate, "--tier", "smoke"])[0])
    importing = _median(repeats, lambda: _run([sys.executable, "-c", "import torch"])[0])
    inside = [_inside("gate", 1) for _ in range(repeats)]
    forward, oracle, total, forwards = (statistics.median(each) for each in zip(*inside))
    # The full tier in portions: as many cases as gate's tenth, and ten times as many.
    small, large = _inside("full", 1200), _inside("full", 120)
    growth = (large[2] / large[3]) / (small[2] / small[3])
    theirs = _median(repeats, lambda: _python(MODULE_TESTS)[0])
    return [
        Row("gate tier, serial, over as many no-op tests", serial / no_ops, "x", "<= 2.0", "<= 1.5"),
        Row("oracle + comparison over the subject's forwards", oracle / forward, "x", "<= 1.0", "<= 0.5"),
        Row("-n 2 against serial, gate tier", serial / parallel, "x faster", ">= 1.4", ">= 1.7"),
        Row("collection of the gate tier", collect, "s", "<= 3", "<= 1.5"),
        Row("smoke tier less import torch", smoke - importing, "s", "<= 5", "<= 2"),
        Row(
            "checked forwards/s over PyTorch's module tests",
            forwards / total / theirs,
            "x",
            ">= 10",
            ">= 30",
        ),
        Row("cost of a forward in 10 x as many cases of full", growth, "x", "<= 1.2", ""),
        Row("peak memory of a process, gate tier", peak, "MB", "<= 500", "<= 350"),
    ]


def page(rows: Sequence[Row], repeats: int) -> str:
    """The table as a Markdown page, with the machine named."""
    versions = "; ".join(
        (
            f"{platform.system()} {platform.machine()}",
            f"{os.cpu_count()} cores",
            _processor(),
            f"Python {platform.python_version()}",
            "torch " + _run([sys.executable, "-c", "import torch; print(torch.__version__)"])[2].strip(),
        )
    )
    lines = [
        "# Benchmark",
        "",
        f"{versions}. Medians of {repeats}. Regenerate: `nox -s benchmark`.",
        "",
        "| measure | measured | must | aim | met |",
        "| --- | --: | --: | --: | --- |",
    ]
    for row in rows:
        verdicts = {True: "yes", False: "no", None: ""}
        words = [f"must: {verdicts[row.met(row.must)]}"]
        if row.aim:
            words.append(f"aim: {verdicts[row.met(row.aim)]}")
        value = f"{row.value:.2f} {row.unit}"
        lines.append(f"| {row.measure} | {value} | {row.must} | {row.aim} | {', '.join(words)} |")
    return "\n".join(lines) + "\n"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or "unknown processor"
    match = re.search(r"model name\s*:\s*(.*)", text)
    return match.group(1) if match else "unknown processor"


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Exit status 1 only with --strict, when a bound that must hold does not."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="runs of each measure (5)")
    parser.add_argument("--short", action="store_true", help="once each")
    parser.add_argument("--strict", action="store_true", help="fail when a must is missed")
    parser.add_argument("--write", metavar="FILE", help="also write the page")
    options = parser.parse_args(arguments)
    repeats = 1 if options.short else options.repeats
    rows = measure(repeats)
    text = page(rows, repeats)
    sys.stdout.write(text)
    if options.write:
        Path(options.write).write_text(text, encoding="utf-8")
    return int(options.strict and any(row.met(row.must) is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
