"""Compares one step's observation with what the oracle expects; counts and judges."""
