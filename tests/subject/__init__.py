"""The module under test. The only package that imports torch."""
