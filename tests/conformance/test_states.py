"""Subject against oracle: the cases of family state."""

from __future__ import annotations

import pytest

from tests.conformance.judging import judge

FAMILY = "state"


def test_states(case_id: str, request: pytest.FixtureRequest) -> None:
    """Check that the subject does what the oracle says, at every step of the case."""
    judge(case_id, request)
