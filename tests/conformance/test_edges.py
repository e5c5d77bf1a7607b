"""Subject against oracle: the cases of family edge (``cases/edges.py``)."""

from __future__ import annotations

from tests.conformance.collection import Cases

test_edges = Cases("edge")
