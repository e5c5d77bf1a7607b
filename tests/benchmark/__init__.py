"""Measures what the suite costs."""
