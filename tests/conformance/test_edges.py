"""Subject against oracle: the cases of family edge."""

from __future__ import annotations

from tests.conformance.judging import Judge

FAMILY = "edge"


def test_edges(case_id: str, judge: Judge) -> None:
    """The subject does what the oracle says, at every step of the case."""
    judge(case_id)
