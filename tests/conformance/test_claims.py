"""Subject against oracle: the cases of family claim (``cases/claims.py``)."""

from __future__ import annotations

from tests.conformance.collection import Cases

test_claims = Cases("claim")
