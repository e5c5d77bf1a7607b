"""Where torch is wrong: the oracle is right, the release is not, and exactly how is written down.

A case that a defect covers must show the defect on the releases it names, and nothing else: the
oracle shows it too when its name is in ``Semantics.defects`` (``rules.deviates(name)`` in
``oracle.batch_norm``). Such a case is reported as a known defect, never as a pass. A defect that is
gone, or has changed, fails the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Optional, Tuple

from oracle.semantics import Release


@dataclass(frozen=True)
class Defect:
    """One known defect.

    ``first``, ``last``: releases, both included, None for the ends of the table. ``paths``: the
    execution paths that show it. ``cases``: patterns of the ids that show it. ``instead``: what
    torch does. ``source``: an issue, or "found by this suite". ``avoid``: what a user can do.
    """

    name: str
    first: Optional[Release]
    last: Optional[Release]
    paths: str
    cases: Tuple[str, ...]
    instead: str
    source: str
    avoid: str

    def covers(self, case_id: str, release: Release) -> bool:
        """Whether the case must show this defect on this release."""
        if self.first is not None and release < self.first:
            return False
        if self.last is not None and release > self.last:
            return False
        return any(fnmatchcase(case_id, pattern) for pattern in self.cases)


DEFECTS: Tuple[Defect, ...] = (
    Defect(
        "empty_input_unchecked",
        None,
        None,
        "eager CPU",
        ("edge-empty-wrong_channels", "edge-empty-no_channels"),
        "An input without elements is accepted whatever its number of channels, and is counted.",
        "#72821",
        "Check x.shape[1] == module.num_features before an input that may be empty.",
    ),
    Defect(
        "zero_features_raise",
        (1, 5),
        None,
        "eager CPU",
        ("edge-empty-zero_features",),
        "BatchNorm2d(0) can be constructed, but a forward counts and then raises IndexError.",
        "#72821, found by this suite to begin with 1.5",
        "Leave the layer out when there are no channels.",
    ),
    Defect(
        "overflowing_variance_zeroes_output",
        (1, 10),
        None,
        "eager CPU",
        ("edge-nonfinite-overflowing",),
        "When the batch variance exceeds the dtype's largest number, the output is the bias alone.",
        "#162489, PR #178123",
        "Scale inputs down, or normalise in float64.",
    ),
    Defect(
        "overflowing_variance_zeroes_output",
        None,
        (1, 8),
        "eager CPU",
        ("edge-nonfinite-overflowing",),
        "As on 1.10 and later; 1.9 alone is right.",
        "#162489, found by this suite to be right on 1.9",
        "Scale inputs down, or normalise in float64.",
    ),
    Defect(
        "channels_last_plain_sums",
        (1, 10),
        None,
        "eager CPU, float32, train mode, channels_last, 1 to 4 threads",
        ("edge-constant-constant_channels_last_n102400",),
        "Each thread sums in float32 value by value: over 102,400 times 0.3 the mean comes out as "
        "about 0.3003, thousands of ulps from the contiguous result, which is right to the last.",
        "found by this suite",
        "Call .contiguous() before a large channels_last input in train mode.",
    ),
)


def covering(
    case_id: str, release: Release, defects: Tuple[Defect, ...] = DEFECTS
) -> Optional[Defect]:
    """The defect that the case must show on the release, if any."""
    for defect in defects:
        if defect.covers(case_id, release):
            return defect
    return None
