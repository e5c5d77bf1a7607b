"""Steps on the paths through a wrapper, which differ nowhere from a call of the module."""

from __future__ import annotations

from typing import Dict

from oracle.paths.walk import Advance

STEPPING: Dict[str, Advance] = {}
"""Maps the name of a path to the function for a step on it; a path that is missing differs nowhere."""
