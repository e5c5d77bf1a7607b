"""The table of the commands."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple, Tuple

from reports.commands.command import Command


class Entry(NamedTuple):
    """A line of the table: the command's name, its module, and a line for the list of commands."""

    name: str
    module: str
    summary: str

    def load(self) -> Command:
        """Return the command; this imports its module."""
        module: Any = importlib.import_module(self.module)
        command: Command = module.COMMAND
        return command


COMMANDS: Tuple[Entry, ...] = (
    Entry("accept", "reports.commands.accept", "write the causes of a record as accepted findings"),
    Entry("behaviour", "reports.commands.behaviour", "write BEHAVIOUR.md from oracle and records"),
    Entry("diff", "reports.commands.diff", "say what changed from one record to another"),
    Entry("html", "reports.commands.html", "write records as a page (needs jinja2, matplotlib)"),
    Entry("implementations", "reports.commands.implementations", "compare implementations on a page"),
    Entry("releases", "reports.commands.releases", "write RELEASES.md from the records in a directory"),
    Entry("show", "reports.commands.show", "print the table of a record and the causes of its findings"),
    Entry("summary", "reports.commands.summary", "say in a line, or in Markdown, what a record holds"),
    Entry("validate", "reports.commands.validate", "check records against the schema (needs jsonschema)"),
    Entry("vectors", "reports.commands.vectors", "write test vectors for ports (needs NumPy)"),
)
"""Every command, by name. The name of the module is a text, and not an import, for the reason that the
package's docstring gives."""
