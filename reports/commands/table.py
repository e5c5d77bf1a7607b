"""The table of the commands."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple, Tuple

from reports.commands.command import Command


class Entry(NamedTuple):
    """A line of the table: the command's name, and a line for the list of commands."""

    name: str
    summary: str

    @property
    def module(self) -> str:
        """The name of the module that has the command."""
        return f"reports.commands.{self.name}"

    def load(self) -> Command:
        """Return the command; this imports its module."""
        module: Any = importlib.import_module(self.module)
        command: Command = module.COMMAND
        return command


COMMANDS: Tuple[Entry, ...] = (
    Entry("accept", "write the causes of a record as accepted findings"),
    Entry("behaviour", "write BEHAVIOUR.md from oracle and records"),
    Entry("diff", "say what changed from one record to another"),
    Entry("html", "write records as a page (needs jinja2, matplotlib)"),
    Entry("implementations", "compare implementations on a page"),
    Entry("releases", "write RELEASES.md from the records in a directory"),
    Entry("show", "print the table of a record and the causes of its findings"),
    Entry("summary", "say in a line, or in Markdown, what a record holds"),
    Entry("validate", "check records against the schema (needs jsonschema)"),
    Entry("vectors", "write test vectors for ports (needs NumPy)"),
)
"""Every command, by name. Its module is imported when it is called, for the reason that the package's
docstring gives."""
