"""Measures the cost of the suite, of whole processes and of cases inside a process."""
