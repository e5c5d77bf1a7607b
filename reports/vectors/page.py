"""The page ``reports/VECTORS.md``; ``python -m reports.vectors.page`` writes its tables of flags anew."""

from __future__ import annotations

from pathlib import Path
from typing import List

from oracle.semantics import RELEASES
from oracle.switch import Release
from reports import destination
from reports.markdown import code, flat
from reports.vectors.flags import KINDS, Flag, flags

PAGE = Path(__file__).parents[1] / "VECTORS.md"
COMMAND = "python -m reports.vectors.page"
MARK = f"<!-- The rest is written by: {COMMAND} -->"

TITLES = {
    "CAPABILITY": "What a port needs",
    "REFUSAL": "What a port must refuse",
    "SITUATION": "What a case is about",
    "TORCH_DEFECT": "Where torch is wrong",
}
"""Maps a kind of flags to the heading of its table."""


def rendered(release: Release) -> str:
    """Return the page with the flags of a release."""
    head, _, _ = PAGE.read_bytes().decode("utf-8").replace("\r\n", "\n").partition(MARK)
    lines = [MARK, ""]
    for kind, meaning in KINDS.items():
        rows = [each for each in flags(release) if each.kind == kind]
        lines += [f"### {TITLES[kind]}: {code(kind)}", "", meaning, "", "| flag | meaning | read more |"]
        lines += ["|---|---|---|", *map(_row, rows), ""]
    return head + "\n".join(lines)


def _row(flag: Flag) -> str:
    links = ", ".join(f"[{_name(link)}]({link})" for link in flag.links)
    cells: List[str] = [f"`{flag.name}`", flat(flag.description), links]
    return f"| {' | '.join(cells)} |"


def _name(link: str) -> str:
    """Return a short text for a link: the number of an issue, or the name of a site."""
    last = link.rstrip("/").rpartition("/")[2]
    return f"#{last}" if last.isdecimal() else link.split("/")[2]


if __name__ == "__main__":
    destination.write(PAGE, rendered(RELEASES[-1]).encode("utf-8"))
