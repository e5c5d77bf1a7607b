"""Measures what the suite costs: whole processes, and from the inside."""
