"""The type of a claim: a statement of a public text, a program, and checks of what the program does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from cases.case import Case
from cases.claims.checks import Check
from cases.construction import Config
from cases.spelling import parse_program
from cases.variants import Variant

FAMILY = "claim"

VERDICTS = ("confirmed", "refuted", "refined")
"""confirmed: the statement is right as it stands. refuted: it is wrong. refined: it is right, but lacks
something that a reader needs in order to use it."""

TEXTS: Dict[str, str] = {
    "question": "What are running_mean and running_var? (question and answer by Ivan)",
    "parameters": "BN core parameters explained (PyTorch之BN核心参数详解)",
    "notebook": "Understanding BatchNorm of PyTorch 1.8.2 (notebook)",
    "feature_map": "Batch Normalization in PyTorch (Pytorch中的Batch Normalization操作, 2018)",
    "group_norm": "Substitute group norm with batch norm (Dhruv Matani, 2023)",
}
"""Maps the word of a text to its title."""


@dataclass(frozen=True)
class Claim:
    """A statement of a public text.

    ``text``: a word of TEXTS. ``line``: the line of the text as it was collected. ``verdict``: one of
    VERDICTS. ``checks``: what the real module does, so that the checks of a refuted statement contradict
    it. ``note``: what the verdict adds to the statement. ``refuted_where``: the name of a switch. On the
    releases where it holds, an otherwise right statement is wrong and its checks must fail.
    """

    name: str
    text: str
    line: int
    statement: str
    verdict: str
    config: Config
    program: str
    checks: Tuple[Check, ...]
    note: str = ""
    refuted_where: Optional[str] = None

    @property
    def id(self) -> str:
        """The id of the case."""
        return f"{FAMILY}-{self.text}-{self.name}"

    @property
    def case(self) -> Case:
        """The case that runs the statement's program."""
        return Case(
            id=self.id,
            behaviour=f"claims of {self.text}",
            config=self.config,
            steps=parse_program(self.program),
            variant=Variant("bounded", "n8", "float32"),
            note=f"{TEXTS[self.text]}, line {self.line}: {self.statement}",
        )
