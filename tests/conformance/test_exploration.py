"""Subject against oracle: random programs, as many as ``--explore`` asks for."""

from __future__ import annotations

from typing import Callable, Tuple

import pytest

from tests.conformance import exploration
from tests.conformance.session import session_of


def test_exploration(
    search: Tuple[int, str],
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
) -> None:
    """No random program makes the subject do other than the oracle says."""
    count, seed = search
    exploration.search(session_of(pytestconfig), count, seed, record_property)
