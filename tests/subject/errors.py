"""The errors that say in one line why a subject, a path or a device cannot be used. Needs no torch."""

from __future__ import annotations


class SubjectError(ValueError):
    """The subject cannot be used; the message says why and what is accepted."""


class DeviceError(ValueError):
    """The device cannot be used; the message names it and says what is accepted."""
