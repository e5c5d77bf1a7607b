"""Adapters for other implementations of BatchNorm2d, one a module, each with a session in noxfile.py.

Each docstring says the framework's conventions and where they are written. Conventions that are
notation are translated here: the complement of momentum, where the channels stand, names, defaults. A
difference in numbers is not; it is a finding or, where the framework's documentation says so, a clause
of the contract.
"""
