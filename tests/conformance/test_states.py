"""Subject against oracle: the cases of family state (``cases/states.py``)."""

from __future__ import annotations

from tests.conformance.collection import Cases

test_states = Cases("state")
