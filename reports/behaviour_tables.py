"""The tables of every combination in BEHAVIOUR.md."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Dict, Iterator, List, Optional, Sequence

from oracle.semantics import RELEASES
from oracle.switch import Release
from reports import markdown
from reports.proofs import Outcomes, dotted, in_words, passing

if TYPE_CHECKING:
    from oracle.combinations import Effect, Interval

TRACK: Dict[str, str] = {"track": "tracked", "no_track": "untracked"}
"""Maps a word of an id to the word of the tables."""

AFFINE: Dict[str, str] = {
    "affine": "`affine=True`",
    "no_affine": "`affine=False`",
    "no_bias": "`affine=True, bias=False`",
}

INTRODUCTION = """\
<a id="every-combination"></a>

## Every combination

The specification was asked for every combination of construction ({constructions}), later change
({changes}, and none), mode and release: {combinations:,} forwards on each of {releases} releases. What a
forward does to the statistics depends on `track_running_stats` at construction, the change and the mode
alone; affine and momentum come in as the first two tables say.

    y = (x - mean) / sqrt(variance + eps) * weight + bias

*The batch*: mean and biased variance of the batch normalise. *The buffers*: `running_mean` and
`running_var` do. *Updated*: running = (1 - factor) * running + factor * batch, with the unbiased variance
of the batch. *Tracked*, *untracked*: built with `track_running_stats=True`, `False`. Every line cites a
case that proves it on the releases of the line, and says how many others do."""

SCALING = """\
### What scales and shifts the output

In both modes, tracked or not. No other change makes a difference."""

FACTOR = """\
### The factor

`momentum` is read in every forward, whenever it was set. *k*: `num_batches_tracked`, after the batch was
counted."""


def section(known: Outcomes) -> List[str]:
    """Return the lines of the section."""
    from oracle import combinations as every

    introduction = INTRODUCTION.format(
        constructions=f"{len(every.AFFINE)} x {len(every.TRACK)} x {len(every.MOMENTUM)}",
        changes=len(every.CHANGES) - 1,
        combinations=len(every.AFFINE) * len(every.TRACK) * len(every.MOMENTUM) * len(every.CHANGES) * 2,
        releases=len(RELEASES),
    )
    lines = [introduction, "", FACTOR, "", *_factors(known), "", SCALING, "", *_scaling(known)]
    for change in every.CHANGES:
        lines += ["", *_change(known, change)]
    return lines


# --- momentum and affine ----------------------------------------------------------------


def _factors(known: Outcomes) -> List[str]:
    from oracle import combinations as every

    cases = every.cases_of_factors()
    rows = []
    for word, momentum in every.MOMENTUM.items():
        counted = _cited(known, cases.get((word, every.NO_MUTATION, "train"), ()), RELEASES)
        uncounted = _cited(known, cases.get((word, "drop_counter", "train"), ()), RELEASES)
        if counted and uncounted:
            factors = [every.average_factor_of(word, count) for count in (1, 2, 3, None)]
            rows.append([f"`{momentum}`", *map(_fraction, factors), f"{counted} {uncounted}"])
    return markdown.table(["momentum", "k = 1", "k = 2", "k = 3", "counter None", "proved by"], rows)


def _fraction(value: float) -> str:
    return str(Fraction(value).limit_denominator(1000)) if 0 < value < 1 else f"{value:g}"


def _scaling(known: Outcomes) -> List[str]:
    from oracle import combinations as every

    cases = every.cases_of_scaling()
    rows = []
    for affine, shown in AFFINE.items():
        first = every.constructed_since(affine)
        releases = [release for release in RELEASES if release >= first]
        since = "" if first == RELEASES[0] else f" (since {dotted(first)})"
        unchanged = every.scaling(affine, every.NO_MUTATION)
        for change in every.CHANGES:
            found = every.scaling(affine, change)
            listed = change == every.NO_MUTATION or change.startswith("affine_") or found != unchanged
            proof = _cited(known, cases.get((affine, change), ()), releases)
            if listed and found is not None and proof:
                names = ", ".join(map(markdown.code, found)) or "nothing"
                rows.append([f"{shown}{since}", _named(change), names, proof])
    return markdown.table(["built with", "change", "scaled and shifted by", "proved by"], rows)


# --- one change -------------------------------------------------------------------------


def _named(change: str) -> str:
    """Return a change as code."""
    from oracle import combinations as every

    return "none" if change == every.NO_MUTATION else markdown.code(every.as_python(change))


def _change(known: Outcomes, change: str) -> List[str]:
    from oracle import combinations as every

    cases = every.cases_of_effects()
    rows: List[List[str]] = []
    for track, built in TRACK.items():
        for mode in every.MODES:
            proofs = cases.get((track, change, mode), ())
            for interval in every.intervals(track, change, mode):
                rows += _rows(known, f"{built}, {mode}", interval, proofs)
    title = "No change" if _named(change) == "none" else _named(change)
    head = ["built, mode", "releases", "normalises", "running_mean, running_var", "counter", "proved by"]
    return [f"### {title}", "", *markdown.table(head, rows)]


def _rows(known: Outcomes, built: str, interval: Interval, proofs: Sequence[str]) -> Iterator[List[str]]:
    """Return the row of an interval; none where no case proves it on all of its releases."""
    releases = [each for each in RELEASES if interval.first <= each <= interval.last]
    proof = _cited(known, proofs, releases)
    if proof:
        effect = interval.effect
        recorded = [release for release in releases if release in known]
        yield [
            built,
            in_words(known, recorded) or "all",
            _normalises(effect),
            _buffers(effect),
            _counter(effect),
            proof,
        ]


def _normalises(effect: Effect) -> str:
    """Return the words for the statistics that normalise, or the exception."""
    refused = f"the change raises {markdown.plain(effect.refused)}; then " if effect.refused else ""
    if effect.raises:
        return f"{refused}raises {markdown.plain(effect.raises)}"
    return refused + {"batch": "the batch", "running": "the buffers"}[effect.statistics]


def _buffers(effect: Effect) -> str:
    absent = [name for name in ("running_mean", "running_var") if name in effect.absent]
    if len(absent) == 2:
        return "None"
    if len(effect.updated) == 2:
        return "updated"
    parts = [f"{name} None" for name in absent] + [f"{name} updated" for name in effect.updated]
    return ", ".join(parts) or "stay"


def _counter(effect: Effect) -> str:
    if "num_batches_tracked" in effect.absent:
        return "None"
    return "+1" if effect.counted else "stays"


def _cited(known: Outcomes, cases: Sequence[str], releases: Sequence[Release]) -> Optional[str]:
    """Return the first case that passed on all recorded of the releases, and the number of others."""
    recorded = [release for release in releases if release in known]
    proving = [case for case in cases if recorded and passing(known, [case], recorded) == recorded]
    if not proving:
        return None
    others = f" and {len(proving) - 1} more" if len(proving) > 1 else ""
    return f"{markdown.code(proving[0])}{others}"
