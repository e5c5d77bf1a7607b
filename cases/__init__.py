"""The cases as plain data: configurations, steps, programs and inputs.

Nothing here imports torch or computes a statistic. Only ``cases.claims`` contains expected values.
Start with ``cases.catalogue``: every case of every family has one canonical id, and the id alone
rebuilds the case.
"""
