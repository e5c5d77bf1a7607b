"""The contract of a path, a device or an adapter: what it legitimately cannot do, clause by clause.

A clause is strict in both ways. In its circumstances exactly the deviation that it allows must be seen:
a case that shows another one, or none any more, is a finding that names the clause. Outside of its
circumstances nothing is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Callable, NamedTuple, Optional, Tuple

from cases.case import Case
from cases.steps import Step


class Circumstances(NamedTuple):
    """One step of a program, as a clause sees it.

    ``number``: 0 for construction, n for the n-th step; ``step`` is None at construction. ``before``: the
    state of the module before the step (``oracle.state.State``: flags, tensors, ``graphs``), None at
    construction. ``right``: what the step must show (``oracle.state.Expected``).
    """

    case: Case
    number: int
    step: Optional[Step]
    before: Any
    right: Any


@dataclass(frozen=True)
class Clause:
    """A deviation that is legitimate for a path, a device or an adapter, and when.

    ``name``: a few words with underscores. ``reason``: why, in one sentence. ``source``: where that is
    written or was seen: an address, or a release and a program. ``when``: whether a step is in the
    circumstances. The deviation is one of

    - ``quantities``: patterns (as of ``fnmatch``) of the quantities that differ at this step. For each
      clause at least one quantity must differ; all others must agree, and so must all later steps.
      ``ends``: later steps are not judged. ``always``: False where the circumstances cannot be told
      exactly, so that none has to differ; the reason says why.
    - ``raises``: the class and a regular expression of the exception that comes instead. The program is
      judged up to this step.
    - ``instead``: a function from what is right to what is seen instead, exactly
      (``dataclasses.replace(right, ...)``); later steps follow from the state in it.

    ``defect``: it is a defect of torch on this path, and is reported as a known defect.
    """

    name: str
    reason: str
    source: str
    when: Callable[[Circumstances], bool]
    quantities: Tuple[str, ...] = ()
    ends: bool = False
    always: bool = True
    defect: bool = False
    raises: Optional[Tuple[str, str]] = None
    instead: Optional[Callable[[Any, Circumstances], Any]] = None

    def __post_init__(self) -> None:
        """Raises ValueError for a clause with no deviation, with several, or without reason or source."""
        kinds = bool(self.quantities) + (self.raises is not None) + (self.instead is not None)
        if kinds != 1:
            raise ValueError(f"clause {self.name!r}: one of quantities, raises and instead is accepted")
        if not (self.reason and self.source):
            raise ValueError(f"clause {self.name!r}: it needs a reason and a source")

    def allows(self, quantity: str) -> bool:
        """Whether the clause allows this quantity to differ."""
        return any(fnmatchcase(quantity, pattern) for pattern in self.quantities)
