"""The ids of the gate in which a forward in one mode follows a change of the module.

``reports.behaviour`` cites them as proofs.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Tuple

from cases.matrix.axes import NO_MUTATION
from cases.matrix.rows import ids
from cases.matrix.schedules import SCHEDULES, moment
from cases.variants import WIDE

MODES: Dict[str, str] = {"train": "T", "eval": "E"}
"""Maps a mode to its letter in a schedule."""


class Words(NamedTuple):
    """The words of a matrix id that has none at its end."""

    family: str
    affine: str
    track: str
    momentum: str
    schedule: str
    change: str
    moment: str
    lane: str
    shape: str
    dtype: str

    @property
    def unusual(self) -> int:
        """The number of words that differ from those of the most ordinary module and input."""
        usual = {"affine": "affine", "momentum": "momentum_0.1", "shape": "n8", "dtype": "float32"}
        return sum(getattr(self, name) != word for name, word in usual.items())

    def shows(self, mode: str) -> bool:
        """Whether a forward in the mode follows the change.

        A change of the attribute ``training`` itself shows in the next forward alone.
        """
        letters = SCHEDULES[self.schedule]
        if self.change == NO_MUTATION:
            return MODES[mode] in letters
        place = moment(self.schedule, self.moment)
        assert place is not None
        if self.change != "training_attribute":
            return MODES[mode] in letters[place:]
        return letters[max(place - 1, 0)] == letters[place] == MODES[mode]


def plain_ids() -> List[Tuple[str, Words]]:
    """Return the ids of the gate without suffix words, NaN or narrow dtype, the plainest first."""
    split = ((each, each.split("-")) for each in ids("gate"))
    plain = ((each, Words(*words)) for each, words in split if len(words) == len(Words._fields))
    chosen = [(each, words) for each, words in plain if words.lane != "nonfinite" and words.dtype in WIDE]
    return sorted(chosen, key=lambda pair: (pair[1].unusual, pair[0]))


Key = Tuple[str, str, str]


def by_axis(axis: str) -> Dict[Key, List[str]]:
    """Map (word of the axis, change, mode) to the ids that show such a forward.

    ``axis``: ``track``; or ``momentum``, for modules that track. Ids with a bias keyword are left out:
    releases without it construct nothing.
    """
    found: Dict[Key, List[str]] = {}
    for each, words in plain_ids():
        if words.affine == "no_bias" or (axis == "momentum" and words.track != "track"):
            continue
        for mode in MODES:
            if words.shows(mode):
                found.setdefault((getattr(words, axis), words.change, mode), []).append(each)
    return found


def by_scaling() -> Dict[Tuple[str, str], List[str]]:
    """Map (affine, change) to the ids in which a forward follows the change."""
    found: Dict[Tuple[str, str], List[str]] = {}
    for each, words in plain_ids():
        found.setdefault((words.affine, words.change), []).append(each)
    return found
