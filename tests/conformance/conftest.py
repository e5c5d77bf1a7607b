"""The fixture that every case of the suite is judged with."""

from __future__ import annotations

from functools import partial
from typing import Callable

import pytest

from tests.conformance.judging import Judge, judge_case
from tests.conformance.session import session_of


@pytest.fixture
def judge(pytestconfig: pytest.Config, record_property: Callable[[str, object], None]) -> Judge:
    """Judges the case with an id: fails the test with a report, or passes."""
    return partial(judge_case, session=session_of(pytestconfig), record=record_property)
