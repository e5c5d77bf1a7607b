"""Automatic mutants of BatchNorm2d's Python layer and of a kernel in Python.

None may survive without an explanation in ``tests.meta.mutants.equivalent``.
"""
