"""Records against the published JSON Schema, ``record.schema.json``, line by line.

It needs jsonschema, which nothing else here does. What no schema of one line can say is checked, too: the
order of the lines, and the sums in the footer.
"""

from __future__ import annotations

import importlib
import itertools
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Union

from reports.errors import (
    MissingExtra,
    MissingRecord,
    NotAFile,
    PathLike,
    RecordError,
    RecordIsDirectory,
    UnreadableRecord,
)
from reports.fields import described
from reports.order import Order, objects
from reports.visible import shortened

SCHEMA = Path(__file__).parent / "record.schema.json"
KINDS = ("header", "case", "footer")

MOST = 20
"""The largest number of faults of a file that are reported."""

UNREADABLE = (MissingRecord, NotAFile, RecordIsDirectory, UnreadableRecord)
"""The errors that say nothing about the record, because it was not read."""


class Fault(NamedTuple):
    """A value that the schema does not allow.

    ``place``: the path of the value as in ``$.share.output[0]``; ``problem``: what it is;
    ``accepted``: what may stand there.
    """

    line: int
    place: str
    problem: str
    accepted: str

    def __str__(self) -> str:
        """Return the fault on one line, with the number of its line first."""
        return f"{self.line}: {self.place}: {self.problem}; accepted: {self.accepted}"


class Validity(NamedTuple):
    """The result of a check: the number of cases, and the faults, at most MOST; none in a valid record.

    ``more``: whether there are further faults.
    """

    cases: int
    faults: List[Union[Fault, RecordError]]
    more: bool = False


class Validator:
    """The schema, compiled once for any number of records.

    Raises:
        MissingExtra: jsonschema is not installed.
    """

    def __init__(self) -> None:
        jsonschema = _jsonschema()
        whole: Dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
        shared = {name: whole[name] for name in ("$schema", "$id", "$defs")}
        self._of_kind: Dict[str, Any] = {
            kind: jsonschema.Draft202012Validator({**shared, "$ref": f"#/$defs/{kind}"})
            for kind in KINDS
        }

    def faults(self, number: int, values: Mapping[str, object]) -> Iterator[Fault]:
        """Yield the faults of the fields of one line; none where its kind is not known."""
        validator = self._of_kind.get(str(values.get("kind")))
        errors = () if validator is None else validator.iter_errors(dict(values))
        found = (fault for error in errors for fault in _faults(number, error))
        return iter(dict.fromkeys(found))

    def check(self, path: PathLike) -> Validity:
        """Check a whole record, line by line, and keep none of its lines.

        Once a line has a fault, only the schema of the lines after it is checked.

        Raises:
            RecordError: the file cannot be read at all, one of UNREADABLE.
        """
        order = Order(path)
        faults: List[Union[Fault, RecordError]] = []
        cases = 0
        try:
            for number, values in objects(path):
                cases += values.get("kind") == "case"
                faults += itertools.islice(self.faults(number, values), MOST + 1)
                if len(faults) > MOST:
                    return Validity(cases, faults[:MOST], more=True)
                if not faults:
                    order.take(number, values)
            if not faults:
                order.ends()
        except UNREADABLE:
            raise
        except RecordError as error:
            faults.append(error)
        return Validity(cases, faults)


def _faults(number: int, error: Any) -> Iterator[Fault]:
    """Yield the faults that an error of jsonschema stands for."""
    schema, place = error.schema, _place(error.absolute_path)
    if error.validator != "required":
        yield Fault(number, place, f"{described(error.instance)} is wrong", _accepted(schema))
        return
    for name in error.validator_value:
        if name not in error.instance:
            field = schema.get("properties", {}).get(name, {})
            yield Fault(number, f"{place}.{name}", "is missing", _accepted(field))


def _accepted(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", "what the schema says"))


def _place(path: Any) -> str:
    """Return the path of a value: names after points, numbers of items in brackets."""
    return "$" + "".join(
        f"[{each}]" if isinstance(each, int) else f".{shortened(each, 60)}" for each in path
    )


def _jsonschema() -> Any:
    try:
        return importlib.import_module("jsonschema")
    except ModuleNotFoundError:
        raise MissingExtra(
            "the check against the schema needs jsonschema, which is not installed: "
            "python -m pip install jsonschema"
        ) from None
