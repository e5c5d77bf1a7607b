"""The type of an edge, and the modules and variants that most edges use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Tuple

from cases.case import Case
from cases.construction import BARE, CUMULATIVE, NO_AFFINE, NO_BIAS, TRACKED, UNTRACKED, Config
from cases.spelling import parse_program
from cases.variants import LARGE_SHAPES, LONG_SHAPES, NETWORK_SHAPES, PLANE_SHAPES, WIDE, Variant

FAMILY = "edge"

MODULES = (
    ("tracked", TRACKED),
    ("cumulative", CUMULATIVE),
    ("untracked", UNTRACKED),
    ("no_affine", NO_AFFINE),
    ("no_bias", NO_BIAS),
    ("bare", BARE),
)
"""Maps the word of a module to its constructor's arguments."""

MODES = (("train", ""), ("eval", "eval,"))
"""Maps the name of a mode to the steps that enter it."""

FLOAT32 = Variant("bounded", "n8", "float32")
FLOAT64 = Variant("bounded", "n8", "float64")

BOTH_MODES = "preset,forward:{0},forward:b0,eval,forward:{0},forward:b1"
"""A program: a batch in train mode and in eval mode, each followed by an ordinary batch."""

BOTH_PASSES = "preset,input_grad:{0},backward:{1},eval,input_grad:{0},backward:{1}"
"""A program: forward and backward in train mode and in eval mode, for a batch and an upstream
gradient."""

MOST = 1000
"""The largest number of values that an input of a quick edge has, if its shape is one of
PLANE_SHAPES or NETWORK_SHAPES."""

PRODUCTS = ("backward", "backward_layout")
"""The groups whose edges are a product of axes. In smoke, the matrix covers every pair of their words."""

QUICK = 100
"""The largest number of steps of a quick edge."""


@dataclass(frozen=True)
class Edge:
    """A situation: a name, the program that leads to it, and why it is tested.

    ``group``: the subject, a word of the id. ``note``: the reason, with its source; '#n' is an issue or
    pull request of pytorch/pytorch.
    """

    name: str
    group: str
    program: str
    note: str
    config: Config = TRACKED
    variant: Variant = FLOAT32

    @property
    def id(self) -> str:
        """The id of the case."""
        return f"{FAMILY}-{self.group}-{self.name}"

    @property
    def quick(self) -> bool:
        """Whether the edge belongs to smoke.

        It does if its inputs are small, its program is short, and no other edge is nearly the same.
        """
        planes = {**PLANE_SHAPES, **NETWORK_SHAPES}
        images, channels, height, width = planes.get(self.variant.shape, (0, 0, 0, 0))
        large = self.variant.shape in (*LARGE_SHAPES, *LONG_SHAPES)
        large = large or images * channels * height * width > MOST
        short = self.program.count(",") < QUICK
        return short and not large and self.group not in PRODUCTS

    @property
    def case(self) -> Case:
        """The case of the situation."""
        return Case(
            id=self.id,
            behaviour=f"edge {self.group}",
            config=self.config,
            steps=parse_program(self.program),
            variant=self.variant,
            note=self.note,
        )


def twice(name: str, group: str, batch: str, note: str) -> Tuple[Edge, Edge]:
    """Return edges that give the batch in train mode and in eval mode, in float32 and in float64."""
    program = BOTH_MODES.format(batch)
    return (
        Edge(name, group, program, note, TRACKED),
        Edge(f"{name}_float64", group, program, note, TRACKED, FLOAT64),
    )


def elsewhere(group: str, program: str, note: str) -> Iterator[Edge]:
    """Yield edges with a program that begins with ``preset``, with another eps and in other sizes."""
    for dtype in WIDE:
        variant = Variant("bounded", "n30", dtype)
        eps = program.replace("preset", "preset,set:eps:0.5")
        yield Edge(f"eps_{dtype}", group, eps, note, TRACKED, variant)
    small = ("n60_3x8x5x4", "n8_one_image", "n8_one_channel", "n96_2x48x6x8")
    for shape in (*small, "n8_67_channels", "n4_1x520x2x2", "n4096"):
        variant = Variant("bounded", shape, "float32")
        yield Edge(shape, group, program, note, Config(variant.channels), variant)
