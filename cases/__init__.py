"""The cases as plain data: configurations, steps, programs and inputs.

Nothing here imports torch, contains an expected value, or computes a statistic. Start with
``cases.catalogue``: every case of every family has one canonical id, and the id alone rebuilds the case.
"""
