"""Subject against oracle: the cases of family matrix."""

from __future__ import annotations

import pytest

from tests.conformance.judging import judge

FAMILY = "matrix"


def test_matrix(case_id: str, request: pytest.FixtureRequest) -> None:
    """Check that the subject does what the oracle says, at every step of the case."""
    judge(case_id, request)
