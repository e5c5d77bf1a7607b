"""The matrix: nine leading and three suffix axes, the combinations that are left out, and the case for
each of the others."""

from cases.matrix.axes import AXES, Row
from cases.matrix.rows import case, find, full, identify, ids, meaningless, parse, program

__all__ = ["AXES", "Row", "case", "find", "full", "identify", "ids", "meaningless", "parse", "program"]
