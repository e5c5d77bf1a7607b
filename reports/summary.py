"""A record in one line, and as short Markdown for the page of a run in a CI service."""

from __future__ import annotations

from typing import Dict, List, Sequence

from reports.cause_text import Cause, command, description
from reports.causes import causes
from reports.markdown import code, plain, table
from reports.rows import FINDING, FINISHED, OUTCOMES, CaseRow, Footer, Header
from reports.tally import claim, counted, outcome_counts
from reports.visible import one_line, shortened

MOST = 10
"""The largest number of causes that a summary lists."""

WORDS: Dict[str, str] = {"pass": "pass", "known_defect": "known defects", "finding": "findings"}
"""Maps an outcome to the word for its number."""


def sentence(header: Header, rows: Sequence[CaseRow], exit_status: int) -> str:
    """Return the record in one line: what ran, and how many cases ended how."""
    counts = outcome_counts(rows)
    unfinished = "" if exit_status in FINISHED else f"; did not finish, exit status {exit_status}"
    chosen = "" if header.selection is None else f" ({shortened(header.selection, 60)})"
    torch = f"torch {header.torch}" if header.torch else f"rules of torch {header.release}"
    parts = [torch, header.subject, claim(header)]
    parts += [f"tier {header.tier}{chosen}", f"seed {header.seed}"]
    what = " | ".join(part for part in parts if part)
    return f"{one_line(what)}: {len(rows):,} cases: {_ended(counts)}{unfinished}"


def together(footers: Sequence[Footer]) -> str:
    """Return the sum of several records in one line, such as those of the shards of a tier."""
    counts = {name: sum(each.outcomes.get(name, 0) for each in footers) for name in OUTCOMES}
    cases = sum(each.cases for each in footers)
    return f"{len(footers)} records together: {cases:,} cases: {_ended(counts)}"


def markdown(header: Header, rows: Sequence[CaseRow], exit_status: int) -> List[str]:
    """Return the lines of a short Markdown text: a verdict, a table, the causes of findings."""
    counts = outcome_counts(rows)
    verdict = "as specified" if not counts[FINDING] else counted(counts[FINDING], "finding")
    if exit_status not in FINISHED:
        verdict = f"did not finish (exit status {exit_status}), cases may be missing"
    columns = [each for each in OUTCOMES if _is_column(each, counts)]
    numbers = [f"{len(rows):,}", *(f"{counts[each]:,}" for each in columns)]
    lines = [f"### BatchNorm2d conformance: {verdict}", ""]
    torch = header.torch or f"rules of {header.release}"
    lines += table(
        ["subject", "torch", "tier", "cases", *map(_word, columns)],
        [[code(header.subject), plain(torch), plain(header.tier), *numbers]],
    )
    if claim(header):
        lines += ["", f"Tested: {code(shortened(claim(header), 200))}"]
    if header.selection is not None:
        lines += ["", f"A selection of the tier: {code(shortened(header.selection, 200))}"]
    found = causes(rows)
    if found:
        lines += ["", f"{counted(len(found), 'cause')}, most likely first:", ""]
        lines += [f"1. {_item(cause, header)}" for cause in found[:MOST]]
    if found[MOST:]:
        more = counted(len(found) - MOST, "more cause")
        lines += ["", f"and {more}: `python -m reports show` lists them"]
    return [*lines, ""]


def _item(cause: Cause, header: Header) -> str:
    what = plain(shortened(description(cause)))
    return f"{counted(cause.cases, 'case')}: {what}. {code(command(cause, header.options, 300))}"


def _ended(counts: Dict[str, int]) -> str:
    return ", ".join(f"{counts[each]:,} {_word(each)}" for each in OUTCOMES if _is_column(each, counts))


def _word(outcome: str) -> str:
    return WORDS.get(outcome, outcome.replace("_", " "))


def _is_column(outcome: str, counts: Dict[str, int]) -> bool:
    """Whether the table has a column for an outcome: some case has it, or readers look for it."""
    return counts[outcome] > 0 or outcome in WORDS
