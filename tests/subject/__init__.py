"""The module under test. The only package that imports torch."""

DEFAULT = "torch.nn:BatchNorm2d"
"""The subject of a run that names no other."""
