"""The file of ``--resume``: what an unfinished run has finished.

It holds lines as a record does, each appended as soon as its case is judged: the header, rows in the
order in which they came, and for each search through random programs its test and how much it did.
"""

from __future__ import annotations

import json
import os
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

from reports import reading
from reports.encoding import decode_case, decode_header, encode_header
from reports.errors import MissingRecord, ReportError
from reports.fields import Malformed
from reports.rows import OUTCOMES, CaseRow, Header
from tests.conformance.parametrisation import case_in, is_case

SEARCHED = "search"
"""The kind of the line of a search; the other kinds are those of a record."""


class Unresumable(ValueError):
    """A file that cannot be gone on from; the message says why and what to do."""


class Earlier(NamedTuple):
    """The work that earlier runs have finished.

    ``searches`` maps the node id of a search to its numbers of programs, steps and outputs; ``size`` is
    the number of bytes of the file that hold all this.
    """

    header: Optional[Header]
    rows: Dict[str, CaseRow]
    searches: Dict[str, List[int]]
    size: int

    @property
    def cases(self) -> int:
        """How many cases and random programs have been judged."""
        return len(self.rows) + sum(explored[0] for explored in self.searches.values())

    def has(self, nodeid: str) -> bool:
        """Whether a test has been finished."""
        return case_in(nodeid) in self.rows if is_case(nodeid) else nodeid in self.searches


NOTHING = Earlier(None, {}, {}, 0)


def read(path: str, size: Optional[int] = None) -> Earlier:
    """Return what a file holds, without its last line; without a file, nothing.

    The case of the last line runs again, so that there is always a case by which the header is compared.
    ``size``: read no further than this number of bytes.

    Raises:
        Unresumable: the file is of something else, or damaged in its middle.
    """
    lines, end, last = [], 0, 0
    try:
        for number, line in reading.lines(path):
            if not line.endswith("\n") or (size is not None and end >= size):
                break  # a process that was killed has left half a line
            last, end = end, end + len(line.encode("utf-8"))
            lines.append((number, line))
    except MissingRecord:
        return NOTHING
    except ReportError as error:
        raise Unresumable(str(error)) from None
    if size is None:
        lines, end = lines[:-1], last
    try:
        return _decoded([reading.parsed(line) for _, line in lines], end)
    except (Malformed, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unresumable(
            f"{path}: is not a file that --resume has written ({error}); remove it to begin anew"
        ) from None


def _decoded(lines: List[Any], size: int) -> Earlier:
    if not lines:
        return NOTHING
    rows: Dict[str, CaseRow] = {}
    searches: Dict[str, List[int]] = {}
    for line in lines[1:]:
        if line["kind"] == SEARCHED:
            searches[str(line["test"])] = [int(each) for each in line["explored"]]
        else:
            row = decode_case(line)
            before = rows.get(row.id, row)  # a plugin may have run the case several times
            rows[row.id] = max(before, row, key=lambda each: OUTCOMES.index(each.outcome))
    return Earlier(decode_header(lines[0]), rows, searches, size)


class Journal:
    """Writes the file, in the process that reports; ``earlier``: what it holds already."""

    def __init__(self, path: str, earlier: Earlier) -> None:
        self._path = Path(path)
        self.earlier = earlier
        self.begun = False

    def begin(self, header: Header) -> None:
        """Compare the header of the run with that of the earlier ones, or write it.

        Raises:
            Unresumable: the earlier runs were other runs.
        """
        if self.begun:
            return
        before = self.earlier.header
        names = [each.name for each in fields_of(Header)]
        differing = [name for name in names if getattr(before, name, None) != getattr(header, name)]
        if before is not None and differing:
            was, is_now = getattr(before, differing[0]), getattr(header, differing[0])
            raise Unresumable(
                f"{self._path}: is of a run with {differing[0]} {was!r}, and this one has {is_now!r}; "
                "give the options of that run, or remove the file to begin anew"
            )
        self.begun = True
        if before is None:
            self._path.write_text(encode_header(header) + "\n", encoding="utf-8")
        else:
            os.truncate(self._path, self.earlier.size)

    def add(self, line: str) -> None:
        """Append the line of a case that has been judged."""
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def add_search(self, nodeid: str, explored: List[int]) -> None:
        """Append a search that has found nothing."""
        self.add(json.dumps({"kind": SEARCHED, "test": nodeid, "explored": explored}))

    def remove(self) -> None:
        """Remove the file, when the run has finished."""
        if self._path.exists():
            self._path.unlink()
