"""The processes that these tests start do not depend on where the tests themselves run."""

from __future__ import annotations

from typing import Iterator

import pytest

OF_THE_CALLER = ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", "PY_COLORS", "FORCE_COLOR", "COLUMNS")
"""Variables by which pytest prints more or otherwise. In CI its list of failures has every report again."""


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> Iterator[None]:
    """Take the variables away while the tests run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OF_THE_CALLER:
            patch.delenv(name, raising=False)
        yield
