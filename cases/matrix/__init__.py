"""The matrix: the product of nine leading and three suffix axes, without meaningless combinations."""

from cases.matrix.axes import AXES, Row
from cases.matrix.rows import case, find, full, identify, ids, meaningless, parse, program

__all__ = ["AXES", "Row", "case", "find", "full", "identify", "ids", "meaningless", "parse", "program"]
