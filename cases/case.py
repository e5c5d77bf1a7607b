"""A case: configuration, program and variant under one canonical id."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Tuple

from cases import paths
from cases.construction import Config
from cases.paths import EAGER
from cases.steps import Step
from cases.variants import Variant


@dataclass(frozen=True)
class Case:
    """A case: an id and everything that it stands for.

    ``id``: names the case and alone rebuilds it. ``behaviour``: the words under which reports group it.
    ``note``: why the case exists, and its source, where the id does not say so. ``path``: how the forward
    is reached, a name of ``cases.paths``.
    """

    id: str
    behaviour: str
    config: Config
    steps: Tuple[Step, ...]
    variant: Variant
    note: str = ""
    path: str = EAGER

    @property
    def plain_id(self) -> str:
        """The id without the word of the path."""
        word = paths.write(self.path)
        return self.id[: -len(word)] if word else self.id

    def on(self, path: str) -> Case:
        """Return the same case on another path."""
        return dataclasses.replace(self, id=self.plain_id + paths.write(path), path=path)
