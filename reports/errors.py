"""The exceptions of reports: one class for each fault of an input or output.

Each message is one line: what was given and where, what is accepted, and what to do next.
``ReportError`` is the base that the command line turns into exit status 2.
"""

from __future__ import annotations

import os
from typing import ClassVar, Optional, Union

from reports.visible import short_words, shortened

LONGEST_MESSAGE = 1000
"""The largest number of characters of a message, enough for two paths and a sentence."""

PathLike = Union[str, "os.PathLike[str]"]


class ReportError(Exception):
    """Base of everything this package raises about its inputs and outputs."""

    def __str__(self) -> str:
        """Return the message on one line, whatever a path or a cause contained."""
        return shortened(short_words(self.message()), LONGEST_MESSAGE)

    def message(self) -> str:
        """Return the text of the message; by default the arguments as given."""
        return " ".join(str(argument) for argument in self.args)


# --- a record that cannot be used -------------------------------------------------------


class RecordError(ReportError):
    """A file that is not a usable record.

    ``path`` is the file, ``problem`` says what is wrong with it, and ``line`` is the line at fault,
    counted from 1, or None where the fault is in no single line.
    """

    remedy: ClassVar[str] = "record the run again: pytest --report=FILE"

    def __init__(self, path: PathLike, problem: str, line: Optional[int] = None) -> None:
        super().__init__(path, problem, line)
        self.path = os.fspath(path)
        self.problem = problem
        self.line = line

    def message(self) -> str:
        """Return ``file:line: problem; what to do``."""
        name = self.path or "''"
        where = name if self.line is None else f"{name}:{self.line}"
        return f"{where}: {self.problem}; {self.remedy}"


class MissingRecord(RecordError):
    """There is no such file."""

    remedy = "check the path, or record a run: pytest --report=FILE"


class RecordIsDirectory(RecordError):
    """The path names a directory."""

    remedy = "name one record in it, a file ending in .jsonl or .jsonl.gz"


class UnreadableRecord(RecordError):
    """The operating system refuses to read the file."""

    remedy = "make the file readable, or name another"


class NotAFile(RecordError):
    """The path names a device or a pipe, which may have no end."""

    remedy = "copy what it gives into a file, and name that"


class RecordTooLarge(RecordError):
    """A line, the file or the number of cases is larger than a record can have."""

    remedy = "name a record that pytest --report=FILE wrote"


class EmptyRecord(RecordError):
    """The file has no content."""


class TruncatedGzip(RecordError):
    """The compressed stream ends early, as after a broken download or a full disk."""

    remedy = "fetch the file again, or record the run again: pytest --report=FILE"


class DamagedGzip(RecordError):
    """The name ends in .gz and the content is not a gzip stream, or fails its checksum."""

    remedy = "fetch the file again, or drop .gz from the name of a record that is plain text"


class NotText(RecordError):
    """The content is not UTF-8 text."""

    remedy = "name a JSON Lines file; the name of a compressed record must end in .gz"


class NotJson(RecordError):
    """A line is not a JSON object."""


class MissingHeader(RecordError):
    """The first line is not a header."""


class RepeatedHeader(RecordError):
    """A second header, as when two records were concatenated."""

    remedy = "keep one record a file"


class UnsupportedFormat(RecordError):
    """The header gives a format number that this suite does not read."""

    remedy = "use the suite that wrote the record, or record the run again with this one"


class UnknownKind(RecordError):
    """A line is neither header, case nor footer."""


class InvalidField(RecordError):
    """A field is missing, or has a value of the wrong kind."""


class DuplicateCase(RecordError):
    """Two rows have the same case id."""


class UnsortedCase(RecordError):
    """A row does not follow the row before it in the order of ids."""


class MissingFooter(RecordError):
    """The record ends before its footer: the run was killed, or the file was cut."""


class WrongFooter(RecordError):
    """The footer contradicts the rows."""


class LineAfterFooter(RecordError):
    """Something follows the footer."""


# --- two records that cannot be compared ------------------------------------------------


class IncomparableRecords(ReportError):
    """Two records whose comparison would say nothing about torch."""


class DifferentSeeds(IncomparableRecords):
    """The records were made with different inputs."""


class DifferentTiers(IncomparableRecords):
    """The records are of different tiers, so that neither has all cases of the other."""


class DifferentSubjects(IncomparableRecords):
    """The records of one page, or a record and a file of accepted findings, are of different subjects."""


class PartialRecord(IncomparableRecords):
    """A run was of a selection of cases where the whole tier is needed."""


class UnfinishedRun(IncomparableRecords):
    """A run was interrupted or failed outside its cases, so that cases may be missing."""


# --- a page that cannot be made ---------------------------------------------------------


class NoRecords(ReportError):
    """The directory of records contains no record."""


class DuplicateRelease(ReportError):
    """Two records are of the same release."""


class MissingExtra(ReportError):
    """An optional dependency is not installed."""


class UnwritableOutput(ReportError):
    """Output cannot be written to the place that was given."""


class UnusableAccepted(ReportError):
    """A file of accepted findings that cannot be read, or whose content is not a list of causes."""
