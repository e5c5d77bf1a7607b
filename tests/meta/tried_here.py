"""A plugin of pytest, ``-p tests.meta.tried_here``: scripts are tried in the process of the run.

It serves tests of failing runs that are not about scripts: a fresh process for a script imports torch.
"""

from __future__ import annotations

from tests.failure import replay


def _here(script: str, seconds: float = replay.SECONDS) -> str:
    return replay.printed(script)


replay.printed_in_a_fresh_process = _here
