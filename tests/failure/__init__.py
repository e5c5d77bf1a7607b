"""Prints a failing case: the finding, what explains it, and a script that shows it."""
