"""Subject against oracle: random programs, as many as ``--explore`` asks for."""

from __future__ import annotations

from tests.conformance.exploration import Programs

test_exploration = Programs()
