"""What to run: configurations, steps, programs and inputs, as plain data.

Nothing here imports torch, knows an expected value, or computes a statistic. ``cases.catalogue``
is the way in: every case of every family has one canonical id, and the id alone rebuilds the case.
"""
