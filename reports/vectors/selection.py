"""The choice of the cases that are written, with a reason for each case of the tier that is not."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Tuple

from cases import catalogue, claims, edges, matrix, states
from cases.case import Case
from cases.derivatives import Backward
from cases.matrix.axes import AXES
from cases.matrix.rows import identify, parse
from cases.spelling import token
from cases.steps import Forwards
from cases.suffixes import split
from cases.variants import SHAPES

STRENGTH = {"smoke": 2, "gate": 3}
"""Maps a tier that can be written to the number of axes of which its rows of the matrix have every
combination of words. ``full`` cannot be written: it has millions of cases."""

ORDINARY = ("n2", "n8", "n30")
"""The shapes that rows of the matrix have. Larger ones are left to the edges, which have every long
dimension and every dtype: in the matrix they would multiply the numbers, and nothing else."""

IN_ITS_PLACE = "n30"
"""The shape that a row of the matrix gets in the place of a larger one."""

LONGEST, WIDEST, MOST = 10_000, 512, 9_200
"""The largest number of values in a channel, of channels, and of numbers in an input, of a case that is
written. Beyond, a few arrays would fill the space of all others."""

MOST_BACKWARDS = 12
"""The largest number of backwards in a case that is written."""

SEEN_ALIKE = {
    "deepcopy": "no_mutation",
    "pickle": "no_mutation",
    "state_dict": "no_mutation",
    "attach_parameters": "attach_tensors",
}
"""Maps a mutation to another that looks the same to a port, which has no Python objects."""

UNSEEN = ("layout", "gradient_layout")
"""The axes of the matrix that a port does not see: how arrays lie in memory."""

PARTS = (
    *(f"forward:{name}" for name in ("b0", "one_value", "no_batch", "wrong_channels")),
    "reset_running_stats",
    "reset_parameters",
)
"""The operations that are written for each of the 256 states. The others change Python objects, or lead
into another of the states."""

COVERED = "covered: other cases have every combination of its words, apart from memory layouts"
LARGER = f"larger: this row of the matrix is replaced by the one with the shape {IN_ITS_PLACE}"
HUGE = f"huge: more than {LONGEST} values in a channel, {WIDEST} channels, or {MOST} numbers"
LONG = f"long: more than {MOST_BACKWARDS} backwards; shorter cases have the same operations"
SERIES = "series: hundreds of forwards are one step"
SPLIT = "split: the vectors have a case for each operation that a port can perform"
TORCH_ONLY = "torch: what its steps do is a matter of Python objects, autograd or memory"
SAME = "same: to a port it is the same as "


class Selection(NamedTuple):
    """The chosen cases, and the reason for each id of the tier that is left out."""

    cases: Tuple[Case, ...]
    left_out: Dict[str, str]


def select(tier: str) -> Selection:
    """Return the cases of a tier that say something to a port."""
    chosen: List[Case] = []
    left_out: Dict[str, str] = {}
    kept = _covering(tuple(catalogue.ids(matrix.rows.FAMILY, tier)), STRENGTH[tier], left_out)
    chosen += map(catalogue.find, kept)
    for family in (edges.edge.FAMILY, claims.claim.FAMILY, states.FAMILY):
        for case_id in catalogue.ids(family, tier):
            case = catalogue.find(case_id)
            reason = _unsuitable(case)
            if reason:
                left_out[case_id] = reason
            else:
                chosen.append(case)
            if reason == SPLIT:
                chosen += _parts(case)
    return Selection(tuple(chosen), left_out)


def _unsuitable(case: Case) -> str:
    """Return why a case outside of the matrix is not written as it is; empty if it is."""
    if case.id.startswith(states.FAMILY):
        return SPLIT
    images, channels, height, width = SHAPES[case.variant.shape]
    values = images * height * width
    if values > LONGEST or channels > WIDEST or values * channels > MOST:
        return HUGE
    if sum(isinstance(step, Backward) for step in case.steps) > MOST_BACKWARDS:
        return LONG
    return SERIES if any(isinstance(step, Forwards) for step in case.steps) else ""


def _parts(case: Case) -> Iterator[Case]:
    """Return the cases of one state with one operation each."""
    for operation, part in zip(states.OPERATIONS, states.parts_of(case)):
        if token(operation) in PARTS:
            yield part


def _covering(ids: Tuple[str, ...], strength: int, left_out: Dict[str, str]) -> List[str]:
    """Return ids that together have every combination of words that the given ones have.

    ``strength``: the number of words in a combination. From the last to the first, an id is dropped if
    each of its combinations is in another one that is still there.
    """
    smaller = {case_id: _smaller(case_id) for case_id in ids}
    combined = {case_id: _combinations(smaller[case_id], strength) for case_id in ids}
    count = Counter(each for found in combined.values() for each in found)
    kept = []
    for case_id in reversed(ids):
        if all(count[each] > 1 for each in combined[case_id]):
            count.subtract(combined[case_id])
            left_out[case_id] = COVERED
            continue
        kept.append(smaller[case_id])
        if smaller[case_id] != case_id:
            left_out[case_id] = LARGER
    return kept[::-1]


def _smaller(case_id: str) -> str:
    """Return the id of the same row with one of the ORDINARY shapes."""
    words = case_id.split("-")
    place = 1 + list(AXES).index("shape")
    words[place] = words[place] if words[place] in ORDINARY else IN_ITS_PLACE
    return "-".join(words)


def _combinations(case_id: str, strength: int) -> FrozenSet[Tuple[Tuple[str, str], ...]]:
    """Return the combinations of words that a port sees of a row of the matrix."""
    row = parse(tuple(split(case_id)[0].split("-")[1:]))
    assert identify(row) == case_id
    words = [(axis, SEEN_ALIKE.get(word, word)) for axis, word in zip(AXES, row) if axis not in UNSEEN]
    return frozenset(combinations(words, strength))
