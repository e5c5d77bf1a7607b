"""Situations outside the matrix: odd inputs, numbers and values, each with the source that reports it.

One module a subject; ``cases.edges.registry`` lists them.
"""

from cases.edges.registry import CASES, EDGES, find, ids

__all__ = ["CASES", "EDGES", "find", "ids"]
