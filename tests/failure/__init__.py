"""Prints a failing case: the finding, what explains it, and a script that shows it."""

SCRIPT = "# a script that shows it"
"""The beginning of the line before a script."""
