"""A cause: a group of findings that one fault explains, and its text."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple

from reports.circumstances import Region
from reports.rows import Found
from reports.symptoms import TEXT, UNTOLD, Symptom, Theme, about_numbers
from reports.tally import counted, listed
from reports.visible import LONGEST, shortened, visible

FEW, MANY = 3, 60
"""The largest number of steps and of quantities that a cause names, on a screen and in the whole text."""

WHOLE = 4000
"""The largest number of characters of a line of the whole text."""

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


def block(number: int, cause: Cause, options: str, whole: bool = False) -> List[str]:
    """Return the lines of one cause: what is wrong, where, an example, and how to run it again.

    ``whole``: no line is cut, and all quantities are named.
    """
    title = f"{number:>3}. {counted(cause.cases, 'case')}: "
    longest = WHOLE if whole else LONGEST
    lines = [title + shortened(description(cause, MANY if whole else FEW), longest - len(title))]
    lines += [f"     {shortened(text, longest)}" for text in (_where(cause), _example(cause)) if text]
    return [*lines, f"     {command(cause, options, 4 * LONGEST)}"]


def command(cause: Cause, options: str, longest: int) -> str:
    """Return the command that runs one case of a cause again; its id is cut to ``longest`` characters."""
    quoted = cause.id.replace("'", "'\"'\"'")
    return f"pytest --case '{shortened(quoted, longest)}'{visible(options)}"


def description(cause: Cause, most: int = FEW) -> str:
    """Return what is wrong, in one line; ``most``: the largest number of steps and quantities named."""
    found, mine = cause.found, _symptoms_of_theme(cause)
    words = list(dict.fromkeys(name.verb for name in mine))
    verbs = listed(words, most if len(words) <= most else most // 2)
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
    often = [name.quantity for name, _, _ in cause.symptoms]
    ordered = sorted(often, key=lambda name: not about_numbers(name))  # the numbers come first
    quantities = dict.fromkeys((found.quantity, *ordered))
    refused = ", each rightly raising" if cause.raising else ""
    return f"wrong after {verbs}{refused}: {listed(quantities, most)}"


def _symptoms_of_theme(cause: Cause) -> List[Symptom]:
    return [name for name, _, _ in cause.symptoms if cause.theme in name.themes]


def _where(cause: Cause) -> str:
    """Return the words that all cases of a cause share, "" if they share none."""
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
        others = len({name.expected for name in mine}) - 1
        return f"expected: {_with_others(found.expected, others)}"
    if cause.theme[0] == "unraised":
        return f"got: {_with_others(found.got, len({name.got for name in mine}) - 1)}"
    place = f" at {list(found.index)}" if found.index else ""
    got, expected = (shortened(text, 60) for text in _apart(found.got, found.expected))
    text = f"{found.quantity}{place}: got {got}, expected {expected}"
    if found.error is None or found.budget is None:
        return text
    return f"{text} (error {found.error:.3g}, budget {found.budget:.3g})"


def _with_others(text: str, others: int) -> str:
    """Return the text, after a remark if other cases have other texts: a cut spares the remark."""
    return text if not others else f"in other cases something else; here: {text}"


def _apart(got: str, expected: str) -> Tuple[str, str]:
    """Return two long texts, each from shortly before their first difference on."""
    pairs = enumerate(zip(got, expected))
    start = next((place for place, (a, b) in pairs if a != b), 0) - 20
    if start < 10:
        return got, expected
    return f"...{got[start:]}", f"...{expected[start:]}"
