"""The consumers of portable vectors: an honest port passes, and each lying port fails in a named case."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest

from reports.vectors.flags import CAPABILITY, REFUSAL, flags
from tests.meta.vectors_here import NEWEST, cases_in, counts, edges, load, load_module, smoke

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(
    NODE is None, reason="there is no node; install Node.js 18 or newer, so that it is on the PATH"
)


def _honest() -> Any:
    return load_module("numpy_port").BatchNorm2d


def _lie(**methods: Any) -> Any:
    return type("Lying", (_honest(),), methods)


def _mean_and_unbiased(self: Any, x: np.ndarray) -> Any:
    return x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3), ddof=1 if x.size > x.shape[1] else 0)


def _in_eval_alike(self: Any, both_missing: bool) -> bool:
    return True


def _update(change: Any) -> Any:
    """Return an update that calls the honest one with other arguments."""
    return lambda self, factor, mean, biased, count: _honest().update(
        self, *change(factor, mean, biased, count)
    )


LIES: Dict[str, Tuple[Dict[str, Any], str, str]] = {
    "the running variance is biased": (
        {"update": _update(lambda f, m, v, n: (f, m, v * (n - 1) / n, n))},
        "update(c, factor, mean, biased, count) { super.update(c, factor, mean, (biased * (count - 1)) / count, count); }",
        "running_var",
    ),
    "momentum is the share of the old value": (
        {"update": _update(lambda f, m, v, n: (1 - f, m, v, n))},
        "update(c, factor, mean, biased, count) { super.update(c, 1 - factor, mean, biased, count); }",
        "running_(mean|var)",
    ),
    "eps is outside of the root": (
        {"scale": lambda self, variance: 1 / (np.sqrt(variance) + self.eps)},
        "scale(variance) { return 1 / (Math.sqrt(variance) + this.eps); }",
        "output",
    ),
    "eval mode uses the statistics of the batch": (
        {"uses_batch_statistics": _in_eval_alike},
        "usesBatchStatistics(missing) { return true; }",
        "output",
    ),
    "no batch is counted": (
        {"count": lambda self: None},
        "count() {}",
        "num_batches_tracked",
    ),
    "the average of momentum None counts one batch too many": (
        {
            "factor": lambda self: (
                _honest().factor(self)
                if self.momentum is not None
                else 1 / (self.num_batches_tracked + 1)
                if self.num_batches_tracked
                else 0.0
            )
        },
        "factor() { return this.momentum ?? (this.num_batches_tracked ? 1 / (this.num_batches_tracked + 1) : 0); }",
        "running_(mean|var)",
    ),
    "the gradient of the input ignores that the variance depends on it": (
        {"removed": lambda self, normalised, products, total: total[:, None, None] + 0 * normalised},
        "removed(normalised, found, c) { return found.bias[c]; }",
        "grad_input",
    ),
    "the unbiased variance normalises": (
        {
            "statistics": _mean_and_unbiased,
            "update": _update(lambda f, m, v, n: (f, m, v * (n - 1) / n, n)),
        },
        "statistics(x, c) { const [mean, variance] = super.statistics(x, c); const n = x.data.length / x.shape[1]; return [mean, (variance * n) / (n - 1)]; }"
        " update(c, factor, mean, v, n) { super.update(c, factor, mean, (v * (n - 1)) / n, n); }",
        "output",
    ),
}
"""Maps a lie to its methods in Python and in JavaScript, and the quantity in which it shows."""

each_lie = pytest.mark.parametrize("lie", LIES)


def _failures(output: str) -> List[Tuple[str, str]]:
    """Return the id of each case that failed, and what was wrong in it."""
    return re.findall(r"^FAILED (\S+)\n  (.*)$", output, re.MULTILINE)


def _try(port: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """Try a Python port on the edges and return what is printed."""
    failed = load_module("numpy_consumer").try_port(str(edges()), port)
    output = capsys.readouterr().out
    assert counts(output)["failed"] == failed == len(_failures(output))
    return output


def _node(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert NODE is not None
    command = [NODE, str(smoke().folder / "consumers" / "consumer.mjs"), str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_honest_port_in_numpy_passes() -> None:
    consumer = smoke().folder / "consumers" / "numpy_consumer.py"
    command = [sys.executable, str(consumer), str(smoke().folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    found, notes = counts(ran.stdout), load("manifest.json")["notes"]
    assert found["passed"] + found["early"] == load("manifest.json")["numberOfTests"]
    assert found["BFloat16"] == notes["BFloat16"]["numberOfTests"]
    assert set(found) - {"passed", "failed", "early"} <= _honest().lacks
    assert found["early"] == sum(found.get(each, 0) for each in _honest().lacks)


@each_lie
def test_a_lying_port_in_numpy_fails(lie: str, capsys: pytest.CaptureFixture[str]) -> None:
    methods, _, quantity = LIES[lie]
    failures = _failures(_try(_lie(**methods), capsys))
    assert failures
    assert {case_id for case_id, _ in failures} <= {test["id"] for _, test in cases_in(edges())}
    assert any(re.search(rf"^step \d+ \(\w+\): {quantity} (has|is) ", text) for _, text in failures), (
        failures[:5]
    )


def test_what_a_port_lacks_is_counted_and_not_tried(capsys: pytest.CaptureFixture[str]) -> None:
    backward = frozenset({"BackwardTrain", "BackwardEval", "BFloat16", "HugeCounter"})
    lying = _lie(removed=lambda self, *arguments: np.zeros(1), lacks=backward)
    found = counts(_try(lying, capsys))
    assert found["failed"] == 0
    assert min(found["BackwardTrain"], found["BackwardEval"]) > 20


def test_a_port_that_promises_the_least_is_still_tried(capsys: pytest.CaptureFixture[str]) -> None:
    least = frozenset(each.name for each in flags(NEWEST) if each.kind in (CAPABILITY, REFUSAL))
    assert counts(_try(_lie(lacks=least), capsys))["passed"] > 10
    lying = _lie(lacks=least, scale=LIES["eps is outside of the root"][0]["scale"])
    assert _failures(_try(lying, capsys))


def test_a_port_that_refuses_nothing_fails_where_it_must_refuse(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = _try(_lie(check=lambda self, *arguments: None), capsys)
    assert any("raised None instead of ValueError" in text for _, text in _failures(output))


@needs_node
def test_an_honest_port_in_javascript_passes() -> None:
    ran = _node(smoke().folder)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    found, notes = counts(ran.stdout), load("manifest.json")["notes"]
    assert found["passed"] + found["early"] == load("manifest.json")["numberOfTests"]
    assert found["BFloat16"] == notes["BFloat16"]["numberOfTests"]
    assert found["early"] == found["BFloat16"] + found["Float16"] + found["HugeCounter"]


@needs_node
@each_lie
def test_a_lying_port_in_javascript_fails(lie: str, tmp_path: Path) -> None:
    _, method, quantity = LIES[lie]
    honest = (smoke().folder / "consumers" / "port.mjs").as_uri()
    port = tmp_path / "lying.mjs"
    port.write_text(
        f'import {{ BatchNorm2d as Honest }} from "{honest}";\nexport class BatchNorm2d extends Honest {{ {method} }}\n'
    )
    ran = _node(edges(), str(port))
    failures = _failures(ran.stdout)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert any(re.search(rf"^step \d+ \(\w+\): {quantity} (has|is) ", text) for _, text in failures), (
        failures[:5]
    )


def test_another_format_is_refused(tmp_path: Path) -> None:
    for name in ("manifest.json", "arrays.json"):
        shutil.copy(str(smoke().folder / name), str(tmp_path))
    manifest = {**load("manifest.json"), "format": 2}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="ascii")
    with pytest.raises(SystemExit, match="this consumer reads vectors of format 1"):
        load_module("numpy_consumer").Vectors(str(tmp_path))
    if NODE is not None:
        ran = _node(tmp_path)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert "this consumer reads vectors of format 1" in ran.stderr
