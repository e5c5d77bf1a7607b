"""Correct modules with other roundings pass every case: exactness belongs to a subject."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import List, Tuple

import pytest
import torch

from reports.record import read
from reports.rows import FINDING, KNOWN_DEFECT
from tests.meta import installed
from tests.meta.command import run
from tests.meta.liars import hunt
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.roundings import ROUNDINGS
from tests.subject.module import Factory, eager
from tests.verdict.verdict import adjudicate

SMALL = tuple(each for each in hunt.ids("smoke") if "n102400" not in each)[::12]
LARGE = tuple(each for each in hunt.ids("smoke") if "n102400" in each)
ON_LARGE_INPUTS = ("Rounding", "Welford")
"""The subjects that sum otherwise; the gate tier runs all of them on large inputs."""

each_rounding = pytest.mark.parametrize("name", ROUNDINGS)


@lru_cache(maxsize=None)
def findings(factory: Factory, ids: Tuple[str, ...], sums_exactly: bool) -> List[str]:
    rules = installed.RULES.of_subject(sums_exactly=sums_exactly)
    found = []
    for case_id in ids:
        verdict = adjudicate(hunt.case(case_id), eager(factory), rules, strict_defects=False)
        if verdict.outcome == FINDING:
            found.append(f"{case_id}: {verdict.explanation}")
    return found


@each_rounding
def test_other_roundings_pass_a_part_of_smoke(name: str) -> None:
    ids = SMALL + LARGE if name in ON_LARGE_INPUTS else SMALL
    assert findings(ROUNDINGS[name], ids, sums_exactly=False) == []


@pytest.mark.long
@each_rounding
def test_other_roundings_pass_the_gate(name: str, tmp_path: Path) -> None:
    """The run is that of a user."""
    record = tmp_path / "record.jsonl"
    ran = run(f"--subject=tests.meta.roundings:{name}", f"--report={record}")
    assert ran.status == 0, ran.output
    rows = read(record).rows
    assert len(rows) == len(hunt.ids("gate"))
    assert {row.outcome for row in rows} <= {"pass", KNOWN_DEFECT}


@pytest.mark.parametrize("name", ["TimesReciprocal", "Welford", "RescaledVariance"])
def test_they_do_round_where_torch_does_not(name: str) -> None:
    """This is the control: if a subject claimed to sum exactly, these words would find it wrong."""
    claimed = findings(ROUNDINGS[name], SMALL, sums_exactly=True)
    assert claimed
    assert all("exact" in each for each in claimed)


def differs(one: torch.Tensor, other: torch.Tensor) -> bool:
    return not torch.equal(one, other)


@pytest.mark.parametrize("name", [name for name in ROUNDINGS if name != "Rounding"])
def test_each_rounds_otherwise_than_the_plain_one(name: str) -> None:
    """On ordinary numbers some output or buffer has another last bit, so no two subjects are the same."""
    shown = []
    for factory in (ROUNDINGS["Rounding"], ROUNDINGS[name]):
        torch.manual_seed(0)
        module = factory(5)
        assert module.running_mean is not None
        module.running_mean.normal_()
        output = module(torch.randn(7, 5, 3, 3) * 3 + 10)
        shown.append((output, module.running_mean, module.running_var))
    assert any(differs(*pair) for pair in zip(*shown))


@pytest.mark.parametrize(
    ("subject", "status"),
    [("roundings:RescaledVariance", 0), ("roundings:ClaimsExactness", 1), ("liars.honest:HonestBatchNorm2d", 0)],
)
def test_a_subject_declares_that_it_sums_exactly(subject: str, status: int) -> None:
    """A class with ``sums_exactly = True`` must be bit-equal in the exact lane, as torch's own."""
    claimed = findings(ROUNDINGS["RescaledVariance"], SMALL, sums_exactly=True)[0]
    case_id = claimed.partition(":")[0]
    ran = run(f"--subject=tests.meta.{subject}", "--case", case_id)
    assert ran.status == status, ran.output
    assert HonestBatchNorm2d.sums_exactly
