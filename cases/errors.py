"""What goes wrong with a case before anything runs."""

from __future__ import annotations


class CaseError(ValueError):
    """A case id, a step or an input name that names nothing; the message says what is accepted."""
