"""Data to text that a page can hold: JSON, deflated, in letters that have no meaning in HTML."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Mapping


def packed(data: Mapping[str, object]) -> str:
    """Return the text of ``data``, of letters, digits, ``+``, ``/`` and ``=`` alone."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode("ascii"), 9)).decode("ascii")
