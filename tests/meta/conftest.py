"""Makes the processes that these tests start independent of the environment of the tests."""

from __future__ import annotations

from typing import Iterator

import pytest

OF_THE_CALLER = ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", "PY_COLORS", "FORCE_COLOR", "COLUMNS")
"""Variables with which pytest prints other text. In CI its list of failures repeats every report."""


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> Iterator[None]:
    """Remove the variables while the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OF_THE_CALLER:
            patch.delenv(name, raising=False)
        yield
