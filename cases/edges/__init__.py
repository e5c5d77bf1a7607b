"""The edges: situations outside the matrix, such as odd inputs, numbers and values, most with a
note on why they are tested.

Each subject has one module; ``cases.edges.registry`` lists them.
"""

from cases.edges.registry import CASES, EDGES, find, ids

__all__ = ["CASES", "EDGES", "find", "ids"]
