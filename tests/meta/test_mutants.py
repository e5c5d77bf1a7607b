"""Every automatic mutant is killed, or listed with the reason why it cannot be."""

from __future__ import annotations

import sys

import pytest
import torch

from tests.meta.liars import hunt
from tests.meta.mutants import equivalent, run
from tests.meta.mutants.sources import RELEASE, SOURCES, Source
from tests.meta.mutants.tally import unexplained

torch.set_num_threads(1)

SAMPLE = 661
"""The quick test runs every 661st mutant; the long one runs all."""

pytestmark = [
    pytest.mark.skipif(sys.version_info < (3, 9), reason="ast.unparse came with Python 3.9"),
    pytest.mark.skipif(
        RELEASE != equivalent.RELEASE,
        reason=f"equivalent.py speaks of torch {equivalent.RELEASE}, this is {RELEASE}",
    ),
]


@pytest.mark.parametrize("every", [12, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])
def test_original_survives(source: Source, every: int) -> None:
    """The unchanged source passes, so a mutant is killed by its mutation."""
    subject = source.build(source.text())
    rules = run.rules_for(source)
    ids = list(dict.fromkeys(hunt.ids("smoke") + hunt.with_words("gate", ("edge",))))
    assert hunt.first_catch(subject, ids[::every], rules, source.on_torch_kernel) is None


@pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])
def test_sample_is_killed(source: Source) -> None:
    """Every 661st of the mutants that are not listed is killed by the gate tier."""
    listed = {each.key for each in equivalent.TABLE if each.source == source.name}
    chosen = [mutant for mutant in source.mutants() if mutant.key not in listed][::SAMPLE]
    outcomes = [run.outcome(source, mutant, run.ordered_ids("gate")) for mutant in chosen]
    assert outcomes
    assert not [each.mutant.key for each in outcomes if each.caught is None]


@pytest.mark.long
def test_all() -> None:
    """Every mutant runs on the gate tier and must agree with the table, strictly both ways."""
    outcomes = list(run.run_all())
    assert not unexplained(outcomes, equivalent.TABLE)
