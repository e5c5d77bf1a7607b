"""pytest's plugins do on cases what they do on any test; ``nox -s plugins`` has all of them.

Each run loads one plugin and no other that is installed; only the last run loads all.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import pytest

from tests.meta.command import FAKES, FEW, TRIED_HERE, Ran, rows, run

CASES = 12
"""The number of cases that FEW selects."""

FLAKY = (*TRIED_HERE, "--subject", f"{FAKES}:WrongOnce")
WRONG = (*TRIED_HERE, "--subject", f"{FAKES}:NoEps")
ALONE: Dict[str, Optional[str]] = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
each_way = pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "worker"])


def with_plugin(
    module: str, *arguments: str, of: Tuple[str, ...] = FEW, **variables: str
) -> Ran:
    """Run a few cases with one plugin; the test is skipped where that is not installed."""
    pytest.importorskip(module, reason=f"{module} is not installed: nox -s plugins")
    ran = run(*of, "-p", module, *arguments, variables={**ALONE, **variables})
    assert "INTERNALERROR" not in ran.output, ran.output
    return ran


def passed(ran: Ran) -> List[str]:
    """Return the ids of the cases that passed, in the order of a verbose run."""
    return re.findall(r"\[(edge-\S+?)\] PASSED", ran.output)


def test_randomly_runs_all_in_another_order() -> None:
    first, again, other = [
        passed(with_plugin("pytest_randomly", "-vv", "-p", "no:xdist", f"--randomly-seed={seed}"))
        for seed in (1, 1, 2)
    ]
    assert first == again != other
    assert sorted(first) == sorted(other)
    assert len(first) == CASES


@each_way
@pytest.mark.parametrize(
    ("module", "option", "word"),
    [("pytest_rerunfailures", "--reruns", "rerun"), ("pytest_retry.retry_plugin", "--retries", "retried")],
    ids=["rerunfailures", "retry"],
)
def test_a_flaky_case_is_run_again(
    module: str, option: str, word: str, workers: Tuple[str, ...], tmp_path: Path
) -> None:
    """The last run counts, also in the record."""
    record = tmp_path / "again.jsonl"
    ran = with_plugin(module, option, "2", *workers, *FLAKY, f"--report={record}")
    assert (ran.status, ran.counts["passed"], ran.counts[word]) == (0, CASES, 1), ran.output
    assert {row["outcome"] for row in rows(record).values()} == {"pass"}


def test_rerunfailures_leaves_a_wrong_subject_wrong() -> None:
    ran = with_plugin("pytest_rerunfailures", "--reruns", "1", *WRONG)
    assert (ran.status, ran.counts["failed"], ran.counts["rerun"]) == (1, CASES, CASES), ran.output


def test_timeout_ends_a_case_that_hangs() -> None:
    """pytest-timeout's limit is shorter than the suite's here, so it takes effect."""
    hangs = ("--case=edge-shape-two_dims", "--case=edge-shape-one_value_bare")
    subject = ("--subject", "tests.meta.hostile:HangsAtOneValue")
    ran = with_plugin("pytest_timeout", "--timeout=6", *subject, of=hangs)
    assert ran.status != 0, ran.output
    assert "Timeout" in ran.output
    assert (ran.counts["failed"], ran.counts["passed"]) == (1, 1)


def test_html_lists_every_case(tmp_path: Path) -> None:
    pytest.importorskip("pytest_html", reason="pytest-html is not installed: nox -s plugins")
    page = tmp_path / "page.html"
    ran = with_plugin("pytest_metadata.plugin", "-p", "pytest_html.plugin", f"--html={page}")
    assert (ran.status, ran.counts["passed"]) == (0, CASES), ran.output
    listed = re.findall(r"test_edges\[(edge-eps-[\w.]+)\]", page.read_text(encoding="utf-8"))
    assert len(set(listed)) == CASES


def test_sugar_shows_the_run() -> None:
    ran = with_plugin("pytest_sugar", "--force-sugar", of=tuple(each for each in FEW if each != "-q"))
    assert ran.status == 0, ran.output
    assert "100%" in ran.output
    assert f"{CASES} passed" in ran.output


def test_cov_measures_the_oracle(tmp_path: Path) -> None:
    kept = str(tmp_path / "coverage")
    ran = with_plugin("pytest_cov.plugin", "--cov=oracle", "--cov-report=term", COVERAGE_FILE=kept)
    assert (ran.status, ran.counts["passed"]) == (0, CASES), ran.output
    covered = re.search(r"^oracle.batch_norm\.py .* (\d+)%$", ran.output, re.MULTILINE)
    assert covered is not None, ran.output
    assert int(covered.group(1)) > 20


def test_repeat_repeats_every_case() -> None:
    ran = with_plugin("pytest_repeat", "--count", "3")
    assert (ran.status, ran.counts["passed"]) == (0, 3 * CASES), ran.output
    assert re.search(rf"^cases +{CASES} \({CASES} pass\)$", ran.output, re.MULTILINE)


def test_split_runs_parts_that_make_up_the_whole(tmp_path: Path) -> None:
    """Each part is a selection, in the record too, and not a run that lost cases."""
    found: List[str] = []
    for group in ("1", "2", "3"):
        record = tmp_path / f"{group}.jsonl"
        splitting = ("--splits", "3", "--group", group, f"--report={record}")
        ran = with_plugin("pytest_split.plugin", *splitting, of=("--tier", "smoke", "--shard", "1/60"))
        assert ran.status == 0, ran.output
        assert "a selection of the tier: " in ran.output
        found += rows(record)
    everything = run("--tier", "smoke", "--shard", "1/60", "--collect-only", variables=ALONE)
    assert sorted(found) == sorted(re.findall(r"\[(.*)\]", everything.output))


def test_instafail_shows_a_failure_at_once() -> None:
    """The failure comes before the next cases, and the run goes on."""
    ran = with_plugin("pytest_instafail", "--instafail", *WRONG)
    assert (ran.status, ran.counts["failed"]) == (1, CASES), ran.output
    assert ran.output.index("# a script that shows it") < ran.output.index("[100%]")


def test_allure_has_a_result_for_every_case(tmp_path: Path) -> None:
    ran = with_plugin("allure_pytest.plugin", f"--alluredir={tmp_path}")
    assert (ran.status, ran.counts["passed"]) == (0, CASES), ran.output
    results = [json.loads(each.read_text("utf-8")) for each in tmp_path.glob("*-result.json")]
    assert len({each["name"] for each in results}) == CASES
    assert {each["status"] for each in results} == {"passed"}


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "worker"])
def test_all_that_is_installed_together(workers: Tuple[str, ...]) -> None:
    """The suite runs as usual on a machine that has the plugins installed."""
    ran = run(*FEW, *workers, fresh=True)
    assert (ran.status, ran.counts["passed"]) == (0, CASES), ran.output
