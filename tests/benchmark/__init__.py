"""Measures the cost of the suite: that of whole processes, and that of cases inside a process."""
