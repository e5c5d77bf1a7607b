"""Automatic mutants of BatchNorm2d's Python layer and of a kernel in Python; none may survive unexplained."""
