"""The commands of ``python -m reports``, one module each; ``table`` lists them.

A module has a constant ``COMMAND``. It is imported only when its command is given, so that a command that
needs an extra or takes long to load costs the others nothing.
"""
