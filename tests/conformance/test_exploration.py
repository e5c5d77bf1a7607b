"""Subject against oracle: random programs, as many as ``--explore`` asks for."""

from __future__ import annotations

from typing import Tuple

import pytest

from tests.conformance import exploration


def test_exploration(search: Tuple[int, str], request: pytest.FixtureRequest) -> None:
    """No random program makes the subject do other than the oracle says."""
    exploration.search(search, request)
