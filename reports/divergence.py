"""The notes on divergences: what differs in an implementation, since when, and a script that shows it.

A note is a Markdown file in ``reports/divergences``: a title, a list of facts, a text, and one block of
Python for the environment of the implementation alone.

    # An empty batch makes the running statistics NaN

    - columns: onnxruntime mlx
    - quantities: running_mean running_var
    - cases: edge-empty-*
    - regimes: *
    - since: 1.19.2, the oldest release that was tried
    - source: reported nowhere that was found

``columns`` names records; ``quantities``, ``cases`` and ``regimes`` are patterns (as of ``fnmatch``) of
what a finding is about, of the id of its case and of the numerical regime of its channel. A note
explains a case if all of them fit one of the findings at the first step that has any.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Dict, List, Tuple

from reports.errors import ReportError
from reports.incidents import incidents_of
from reports.rows import CaseRow

DIRECTORY = Path(__file__).parent / "divergences"

FACTS = ("columns", "quantities", "cases", "regimes", "since", "source")
"""The facts of a note, each of which must be given, in this order."""

_FACT = re.compile(r"- (\w+): (.+)")
_SCRIPT = re.compile(r"```python\n(.*?)```", re.DOTALL)


class UnusableNote(ReportError):
    """A note that lacks its title, a fact, its text or its script."""


@dataclass(frozen=True)
class Divergence:
    """A note. ``text`` is Markdown, with the script in it; ``script`` is the script alone."""

    name: str
    title: str
    columns: Tuple[str, ...]
    quantities: Tuple[str, ...]
    cases: Tuple[str, ...]
    regimes: Tuple[str, ...]
    since: str
    source: str
    text: str
    script: str

    def explains(self, column: str, row: CaseRow) -> bool:
        """Whether the divergence explains a finding of a case of a column."""
        fits = column in self.columns and _fits(row.id, self.cases)
        return fits and any(
            _fits(found.quantity, self.quantities) and _fits(found.regime, self.regimes)
            for incident in incidents_of(row)
            for found in incident.findings
        )


def _fits(text: str, patterns: Tuple[str, ...]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def divergences(directory: Path = DIRECTORY) -> Tuple[Divergence, ...]:
    """Return all notes, by name.

    Raises:
        UnusableNote: a file is no such note.
    """
    return tuple(_note(path) for path in sorted(directory.glob("*.md")))


def _note(path: Path) -> Divergence:
    lines = path.read_text(encoding="utf-8").splitlines()
    title, rest = (lines or [""])[0], lines[2:]
    facts: Dict[str, str] = {}
    while rest and _FACT.fullmatch(rest[0]) is not None:
        name, text = rest.pop(0)[2:].split(": ", 1)
        facts[name] = text
    text = "\n".join(rest).strip("\n")
    scripts: List[str] = _SCRIPT.findall(text)
    if not title.startswith("# ") or tuple(facts) != FACTS or len(scripts) != 1:
        raise UnusableNote(
            f"{path}: is no note on a divergence; it needs a title, the facts {', '.join(FACTS)} in this "
            "order, and one block of Python: see reports/divergence.py"
        )
    return Divergence(
        name=path.stem,
        title=title[2:],
        columns=tuple(facts["columns"].split()),
        quantities=tuple(facts["quantities"].split()),
        cases=tuple(facts["cases"].split()),
        regimes=tuple(facts["regimes"].split()),
        since=facts["since"],
        source=facts["source"],
        text=text,
        script=scripts[0],
    )
