"""Subject against oracle: the cases of family matrix (``cases/matrix.py``)."""

from __future__ import annotations

from tests.conformance.collection import Cases

test_matrix = Cases("matrix")
