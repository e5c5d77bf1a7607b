"""How much numbers moved from each release to the next, and how much of their budgets they use."""

from __future__ import annotations

from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from reports.comparison import compare
from reports.errors import IncomparableRecords
from reports.rows import CaseRow
from reports.site.columns import Column, series
from reports.tally import FIRST, Peak, Usage, in_order, reach, tally

FORWARD = FIRST
BACKWARD = ("input gradient", "weight gradient", "bias gradient")
"""The quantities whose drift is shown. Few cases have others."""

BINS = 20
"""The number of bins of a histogram, each of 5 % of the budget. One more bin is for all above."""


class Step(NamedTuple):
    """The move from one release to the next.

    ``changed``: the share of the comparable cases that returned other bytes, 0 to 1. ``ulps``: the
    largest move of each quantity in units in the last place, and ``share`` in shares of its budget; a
    quantity that did not move is missing.
    """

    name: str
    changed: float
    ulps: Dict[str, float]
    share: Dict[str, float]


class Level(NamedTuple):
    """The budget that one column uses: per quantity the median and the largest share over the cases."""

    name: str
    usage: Dict[str, Tuple[float, float]]


class Spread(NamedTuple):
    """A histogram of one quantity: the number of cases in each bin, for each column that has any."""

    quantity: str
    columns: Tuple[Tuple[Column, Tuple[int, ...]], ...]


def steps(given: Sequence[Column]) -> List[Step]:
    """Return a step for each two neighbouring releases that can be compared."""
    found = (_step(old, new) for old, new in series(given))
    return [step for step in found if step is not None]


def levels(given: Sequence[Column]) -> List[Level]:
    """Return the budget that each column uses."""
    return [Level(column.name, _usage(tally(column.record.rows).usage)) for column in given]


def spreads(given: Sequence[Column]) -> List[Spread]:
    """Return the histogram of each budgeted quantity over all columns."""
    counts: Dict[str, Dict[int, List[int]]] = {}
    for place, column in enumerate(given):
        for row in column.record.rows:
            for name, bin_number in _bins(row):
                bins = counts.setdefault(name, {}).setdefault(place, [0] * (BINS + 1))
                bins[bin_number] += 1
    return [
        Spread(name, tuple((given[place], tuple(bins)) for place, bins in counts[name].items()))
        for name in in_order(counts)
    ]


def _bins(row: CaseRow) -> List[Tuple[str, int]]:
    shares = ((name, reach(extremes)) for name, extremes in row.share.items())
    return [(name, BINS if share > 1 else min(int(share * BINS), BINS - 1)) for name, share in shares]


def _step(old: Column, new: Column) -> Optional[Step]:
    try:
        numerics = compare(old.record, new.record).numerics
    except IncomparableRecords:
        return None
    ulps = _moves({drift.quantity: drift.ulps for drift in numerics.drifts})
    share = _moves({drift.quantity: drift.share for drift in numerics.drifts})
    return Step(new.name, numerics.changed / max(numerics.comparable, 1), ulps, share)


def _moves(peaks: Mapping[str, Optional[Peak]]) -> Dict[str, float]:
    """Return the values of the peaks that are finite and not 0."""
    return {
        name: peak.value
        for name, peak in peaks.items()
        if peak is not None and 0 < peak.value < float("inf")
    }


def _usage(given: Sequence[Usage]) -> Dict[str, Tuple[float, float]]:
    return {
        usage.quantity: (usage.median, usage.largest.value)
        for usage in given
        if usage.median is not None and usage.largest is not None
    }
