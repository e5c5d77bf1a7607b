"""A cause: a group of findings that one fault explains, and its text."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple

from reports.circumstances import Region
from reports.rows import Found
from reports.symptoms import TEXT, UNTOLD, Symptom, Theme
from reports.tally import counted, listed
from reports.visible import LONGEST, shortened, visible

REST: Theme = ("rest", "")
"""The theme of the remaining findings when a run has too many causes to tell apart."""


class Cause(NamedTuple):
    """A group of findings that one fault explains.

    ``theme`` is what the group is found by. ``cases`` and ``findings`` are counts. ``id`` is the case
    with the shortest way to the finding ``found``. ``symptoms`` are all that the group shows, each with
    its number of findings and the case that shows it best, most frequent first. ``raising``: every step
    with a finding raised. ``shared`` are the words that the ids of all cases have in common, with the
    channel regime where there is one. ``only`` is a region that contains all of the group's cases of one
    family and no passing case, None where there is none. ``switches`` are the release switches whose
    other side explains every finding.
    """

    theme: Theme
    cases: int
    findings: int
    id: str
    found: Found
    symptoms: Tuple[Tuple[Symptom, int, str], ...]
    raising: bool
    shared: Tuple[str, ...]
    only: Optional[Region]
    switches: Tuple[str, ...]


def block(number: int, cause: Cause, options: str) -> List[str]:
    """Return the lines of one cause: what is wrong, where, an example, and how to run it again."""
    title = f"{number:>3}. {counted(cause.cases, 'case')}: "
    lines = [title + shortened(description(cause), LONGEST - len(title))]
    lines += [f"     {shortened(text)}" for text in (_where(cause), _example(cause)) if text]
    quoted = cause.id.replace("'", "'\"'\"'")
    return [*lines, f"     pytest --case '{shortened(quoted, 4 * LONGEST)}'{visible(options)}"]


def description(cause: Cause) -> str:
    """Return what is wrong, in one line."""
    found, mine = cause.found, _symptoms_of_theme(cause)
    verbs = listed(dict.fromkeys(name.verb for name in mine))
    if cause.theme == REST:
        return f"{counted(len(cause.symptoms), 'other symptom')}, each in few cases"
    if found.quantity == UNTOLD:
        return found.got
    if found.quantity == TEXT:
        return f"{verbs} gives another text"
    if cause.theme[0] == "raised":
        return f"{verbs} raises {found.got}"
    if cause.theme[0] == "unraised":
        return f"{verbs} does not raise {found.expected}"
    quantities = dict.fromkeys((found.quantity, *(name.quantity for name, _, _ in cause.symptoms)))
    refused = ", each rightly raising" if cause.raising else ""
    return f"wrong after {verbs}{refused}: {listed(quantities)}"


def _symptoms_of_theme(cause: Cause) -> List[Symptom]:
    return [name for name, _, _ in cause.symptoms if cause.theme in name.themes]


def _where(cause: Cause) -> str:
    """Return what the cases of a cause have in common, "" where they have nothing in common."""
    parts = []
    if cause.only is not None:
        words = " and ".join(cause.only.words)
        where = "only in cases" if cause.only.whole else f"of the {cause.only.family} cases only in those"
        parts.append(f"{where} with {words}, none of which passes")
    elif cause.cases > 1 and cause.shared:
        parts.append(f"all with {', '.join(cause.shared)}")
    parts += [f"the other side of switch {name!r} explains it" for name in cause.switches]
    return "; ".join(parts)


def _example(cause: Cause) -> str:
    """Return what was seen and expected in one finding; for an exception, only the other side."""
    found, mine = cause.found, _symptoms_of_theme(cause)
    if found.quantity == UNTOLD:
        return ""
    if cause.theme[0] == "raised":
        alike = len({name.expected for name in mine}) == 1
        return f"expected: {found.expected}" + ("" if alike else ", in other cases something else")
    if cause.theme[0] == "unraised":
        alike = len({name.got for name in mine}) == 1
        return f"got: {found.got}" + ("" if alike else ", in other cases something else")
    place = f" at {list(found.index)}" if found.index else ""
    got, expected = (shortened(text, 60) for text in _apart(found.got, found.expected))
    text = f"{found.quantity}{place}: got {got}, expected {expected}"
    if found.error is None or found.budget is None:
        return text
    return f"{text} (error {found.error:.3g}, budget {found.budget:.3g})"


def _apart(got: str, expected: str) -> Tuple[str, str]:
    """Return two long texts, each from shortly before their first difference on."""
    pairs = enumerate(zip(got, expected))
    start = next((place for place, (a, b) in pairs if a != b), 0) - 20
    if start < 10:
        return got, expected
    return f"...{got[start:]}", f"...{expected[start:]}"
