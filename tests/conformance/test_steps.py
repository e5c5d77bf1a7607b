"""Subject against oracle: the cases of family steps (``cases/spelled.py``)."""

from __future__ import annotations

from tests.conformance.collection import Cases

test_steps = Cases("steps")
