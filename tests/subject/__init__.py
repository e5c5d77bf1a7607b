"""The module under test. The only package that imports torch."""

from reports.rows import DEFAULT_SUBJECT as DEFAULT

__all__ = ["DEFAULT"]
