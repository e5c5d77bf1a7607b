"""Subject against oracle: random programs, as many as ``--explore`` asks for."""

from __future__ import annotations

from typing import Tuple

import pytest

from tests.conformance import exploration


def test_exploration(search: Tuple[int, str], request: pytest.FixtureRequest) -> None:
    """Check that the subject does what the oracle says in every random program."""
    exploration.search(search, request)
