"""Independence of cases: every case gets inputs that no other case can have touched."""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import pytest

from cases import catalogue
from cases.derivatives import CALLING, DIFFERENTIATING, Backward
from cases.steps import forwards
from reports.record import read
from reports.rows import FINDING
from tests.meta import fakes, installed
from tests.meta.command import FAKES, SMOKE, run
from tests.subject.module import Factory, eager
from tests.verdict.verdict import Verdict, adjudicate


@lru_cache(maxsize=None)
def ids() -> Tuple[str, ...]:
    """Return cases of every family; those of one variant have inputs of the same names and values."""
    matrix, edges = (list(catalogue.ids(family, "smoke")) for family in ("matrix", "edge"))
    claims, states = (list(catalogue.ids(family, "gate")) for family in ("claim", "state"))
    return (*matrix[::8], *edges[::8], *claims[::18], *states[::120])


def judged(subject: Factory, case_id: str) -> Verdict:
    return adjudicate(catalogue.find(case_id), eager(subject), installed.RULES, strict_defects=False)


def differentiates_late(case_id: str) -> bool:
    """Whether the case differentiates a forward after another forward, or after a call of the module."""
    steps = catalogue.find(case_id).steps
    if any(isinstance(step, Backward) and step.earlier for step in steps):
        return True
    called = [isinstance(step, CALLING) for step in steps]
    return any(isinstance(step, DIFFERENTIATING) and any(called[:at]) for at, step in enumerate(steps))


def calls(case_id: str) -> int:
    """Return how often the case calls the module."""
    steps = catalogue.find(case_id).steps
    return sum(len(forwards(step)) + isinstance(step, CALLING) for step in steps)


def forget() -> None:
    """Make the subjects forget what they have seen, as in a new process."""
    fakes.WritesToEarlierInputs.given.clear()
    fakes.WritesToEarlierOutputs.returned.clear()


def alone(subject: Factory) -> Dict[str, Tuple[str, str]]:
    """Return outcome and digest of each case when it runs alone."""
    found = {}
    for case_id in ids():
        forget()
        verdict = judged(subject, case_id)
        found[case_id] = (verdict.outcome, verdict.result.digest)
    return found


def together(subject: Factory, order: Sequence[str]) -> Dict[str, Tuple[str, str]]:
    """Return outcome and digest of each case when all run in one process in this order."""
    forget()
    verdicts = {case_id: judged(subject, case_id) for case_id in order}
    return {name: (each.outcome, each.result.digest) for name, each in verdicts.items()}


def orders() -> List[List[str]]:
    shuffled = list(ids())
    random.Random(7).shuffle(shuffled)
    return [list(reversed(ids())), shuffled]


@pytest.mark.parametrize("subject", [fakes.WritesToEarlierInputs, fakes.WritesToEarlierOutputs])
def test_a_case_alone_and_among_others_has_one_verdict(subject: Factory) -> None:
    by_themselves = alone(subject)
    for order in orders():
        assert together(subject, order) == by_themselves


def test_inputs_that_nobody_uses_any_more_may_be_written_to() -> None:
    """A backward of an earlier forward still uses an input, and is wrong in that very case."""
    right = together(installed.BATCH_NORM, ids())
    assert FINDING not in {outcome for outcome, _ in right.values()}
    written = together(fakes.WritesToEarlierInputs, ids())
    differing = [case_id for case_id in ids() if written[case_id] != right[case_id]]
    assert all(differentiates_late(case_id) for case_id in differing), differing


def test_who_writes_to_an_earlier_output_is_caught_in_that_very_case() -> None:
    """A second forward must return an output with elements; a case with one output comes out as it should."""
    caught = 0
    for case_id in ids():
        verdict = judged(fakes.WritesToEarlierOutputs, case_id)
        right = judged(installed.BATCH_NORM, case_id)
        outputs = right.result.compared.get("output", 0)
        quantities = {finding.mismatch.quantity for finding in verdict.result.findings}
        if outputs > 1 and case_id.startswith("matrix"):
            assert "earlier_output_changed" in quantities, case_id
            caught += 1
        elif outputs <= 1 and calls(case_id) <= 1:
            assert verdict.outcome == right.outcome != FINDING, case_id
    assert caught >= 20


def test_the_same_in_a_run_of_pytest(tmp_path: Path) -> None:
    """The subject's writes reach back over all cases of the run."""
    record = tmp_path / "record.jsonl"
    wrong = ("--subject", f"{FAKES}:WritesToEarlierInputs")
    ran = run(*SMOKE, "--shard", "1/12", *wrong, f"--report={record}")
    assert ran.status == 1, ran.output
    rows = read(record).rows
    found = [row.id for row in rows if row.outcome == FINDING]
    assert len(found) < len(rows) / 10
    assert all(differentiates_late(case_id) for case_id in found), found
