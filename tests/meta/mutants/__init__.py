"""Automatic mutants of BatchNorm2d's Python layer and of a kernel in Python.

Each must be killed, or listed with an explanation in ``tests.meta.mutants.equivalent``.
"""
