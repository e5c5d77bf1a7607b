"""What an edge case consists of, and the modules that most of them construct."""

from __future__ import annotations

from dataclasses import dataclass

from cases.case import Case
from cases.construction import Config
from cases.steps import parse_program
from cases.variants import Variant

FAMILY = "edge"


TRACKED = Config(11)
FLOAT32 = Variant("bounded", "n8", "float32")


@dataclass(frozen=True)
class Edge:
    """One situation: a name, the program that leads to it, and why it is here."""

    name: str
    group: str
    program: str
    note: str
    config: Config = TRACKED
    variant: Variant = FLOAT32

    @property
    def case(self) -> Case:
        """The case of the situation."""
        return Case(
            id=f"{FAMILY}-{self.group}-{self.name}",
            behaviour=f"edge {self.group}",
            config=self.config,
            steps=parse_program(self.program),
            variant=self.variant,
            note=self.note,
        )


UNTRACKED = Config(11, track_running_stats=False)
NO_AFFINE = Config(11, affine=False)
NO_BIAS = Config(11, bias=False)
BARE = Config(11, affine=False, track_running_stats=False)
CUMULATIVE = Config(11, momentum=None)
FLOAT64 = Variant("bounded", "n8", "float64")
