"""Measures what the suite costs on this machine.

``python -m tests.benchmark --write reports/BENCHMARK.md``. Every time is the median of ``--repeats``
runs; ``--short`` runs everything once. Times are whole processes unless a row says otherwise.
Run it in an environment of torch, numpy, pytest, pytest-xdist and expecttest alone: other plugins
of pytest take time of their own.
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

from tests.benchmark.programs import INSIDE, MODULE_TESTS, NO_OPS

ROOT = Path(__file__).parents[2]
FAMILIES = ("matrix", "edge", "claim", "state")
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")

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
    """Wall seconds, peak memory in MB (0 where the system does not tell), and standard output.

    Byte code is kept from run to run, as it is where nobody forbids it.
    """
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=variables, stdout=output, stderr=subprocess.STDOUT
        )
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


def _elsewhere(source: str) -> Tuple[float, str]:
    """Seconds and output of a test module that is no part of the suite, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "test_elsewhere.py").write_text(source, encoding="ascii")
        seconds, _, text = _run(PYTEST, path)
        return seconds, text


def _forwards(text: str) -> int:
    match = re.search(r"forwards checked +(\d+)", text)
    if match is None:
        raise RuntimeError(f"the run did not say how many forwards it checked:\n{text[-300:]}")
    return int(match.group(1))


def _inside(families: Sequence[str], tier: str, every: int) -> List[float]:
    return _python(
        INSIDE.format(root=str(ROOT), families=tuple(families), tier=tier, every=every)
    )


def measure(repeats: int) -> List[Row]:
    """Every row of the table."""
    gate = [*PYTEST, "tests/conformance"]
    no_op_tests = NO_OPS.format(count=_cases())
    serial_runs, no_op_runs, parallel_runs = [], [], []
    for _ in range(repeats):  # in turn: a machine that becomes slower does so for all three
        serial_runs.append(_run(gate))
        no_op_runs.append(_elsewhere(no_op_tests)[0])
        parallel_runs.append(_run([*gate, "-n", "2"])[0])
    serial = statistics.median(run[0] for run in serial_runs)
    peak = max(run[1] for run in serial_runs)
    no_ops, parallel = statistics.median(no_op_runs), statistics.median(parallel_runs)
    collect = _median(repeats, lambda: _run([*gate, "--collect-only"])[0])
    smoke = _median(repeats, lambda: _run([*gate, "--tier", "smoke"])[0])
    importing = _median(repeats, lambda: _run([sys.executable, "-c", "import torch"])[0])
    inside = [_inside(FAMILIES, "gate", 1) for _ in range(repeats)]
    forward, oracle = (statistics.median(each) for each in list(zip(*inside))[:2])
    # The full tier in portions: as many cases as gate's tenth, and ten times as many.
    growth = _median(repeats, lambda: _grown(1200, 120))
    ours = _forwards(serial_runs[0][2]) / serial
    theirs = _median(repeats, lambda: _rate(*_elsewhere(MODULE_TESTS.format())))
    print(
        f"gate {serial:.1f} s, no-op tests {no_ops:.1f} s, -n 2 {parallel:.1f} s; inside: forwards "
        f"{forward:.2f} s, oracle + comparison {oracle:.2f} s; "
        f"checked forwards/s {ours:.0f}, of PyTorch's tests {theirs:.1f}"
    )
    return [
        Row("gate tier, serial, over as many no-op tests", serial / no_ops, "x", "<= 2.0", "<= 1.5"),
        Row("oracle + comparison over the subject's forwards", oracle / forward, "x", "<= 1.0", "<= 0.5"),
        Row("`-n 2` against serial, gate tier", serial / parallel, "x faster", ">= 1.4", ">= 1.7"),
        Row("collection of the gate tier", collect, "s", "<= 3", "<= 1.5"),
        Row("smoke tier less `import torch`", smoke - importing, "s", "<= 5", "<= 2"),
        Row("checked forwards/s over PyTorch's module tests", ours / theirs, "x", ">= 10", ">= 30"),
        Row("cost of a case in 10 x as many cases of full", growth, "x", "<= 1.2", ""),
        Row("peak memory of a process, gate tier", peak, "MB", "<= 500", "<= 350"),
    ]


def _grown(few: int, many: int) -> float:
    """Cost of a case among one in ``many`` of the full tier, over that among one in ``few``."""
    return _inside(["matrix"], "full", many)[2] / _inside(["matrix"], "full", few)[2]


def _rate(seconds: float, text: str) -> float:
    return _forwards(text) / seconds


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
        "Whole processes, start and `import torch` included, unless a row says otherwise. Oracle and",
        "comparison are timed inside one process, over every step of the tier and not its forwards",
        "alone, and whole: what is expected, whether that is what is seen, and that nothing was left",
        "out. Making the inputs is not part of it. The subject's forwards are all that it performs: also",
        "those of a series of which only the last is looked at.",
        "PyTorch's module tests are its ModuleInfo entries for BatchNorm2d driven by its own harness:",
        "a forward, a non-contiguous input against a contiguous one, gradcheck; most of their time goes",
        "into importing the harness and collecting, as it does when anybody runs them.",
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
