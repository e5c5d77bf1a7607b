"""Subject against oracle: the cases of family matrix."""

from __future__ import annotations

from tests.conformance.judging import Judge

FAMILY = "matrix"


def test_matrix(case_id: str, judge: Judge) -> None:
    """The subject does what the oracle says, at every step of the case."""
    judge(case_id)
