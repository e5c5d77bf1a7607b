"""A case: configuration, program and variant under one canonical id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from cases.construction import Config
from cases.steps import Step
from cases.variants import Variant


@dataclass(frozen=True)
class Case:
    """A case: an id and everything that it stands for.

    ``id``: names the case and alone rebuilds it. ``behaviour``: the words under which reports group it.
    ``note``: why the case exists, and its source, where the id does not say so.
    """

    id: str
    behaviour: str
    config: Config
    steps: Tuple[Step, ...]
    variant: Variant
    note: str = ""
