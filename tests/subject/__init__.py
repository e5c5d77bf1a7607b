"""The module under test, and how it is driven. No other package that the cases need imports torch."""

from reports.rows import DEFAULT_SUBJECT as DEFAULT

__all__ = ["DEFAULT"]
