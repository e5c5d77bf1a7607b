"""The README agrees with what the suite says."""

from __future__ import annotations

import re
from pathlib import Path

from cases import claims, matrix
from cases.catalogue import find
from oracle.semantics import RELEASES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_claims_table_is_the_generated_one() -> None:
    """``python -m cases.claims`` prints what stands in the README."""
    assert claims.table() in README


def test_commands_are_those_of_ci() -> None:
    """The two commands are in .ci/run letter for letter."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = re.findall(r"^(python3 -m venv .*)$", README, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        assert command in script


def test_number_of_cases_of_the_full_tier() -> None:
    """The README has the size of the product."""
    count = sum(1 for _ in matrix.full())
    assert f"{count:,} cases" in README


def test_ids_in_the_example_exist() -> None:
    """Every id shown names a case."""
    shown = re.findall(r"^((?:matrix|edge|claim|state|steps)-\S+)", README, re.MULTILINE)
    assert len(shown) == 5
    for each in shown:
        assert find(each).id == each


def test_links_lead_somewhere() -> None:
    """Every relative link is a file of the repository."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_releases_named_are_the_table() -> None:
    """The README has the first and the last release of the table."""
    first, last = (".".join(map(str, each)) for each in (RELEASES[0], RELEASES[-1]))
    assert f"from {first} to {last}" in README
