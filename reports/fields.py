"""The fields of one JSON object, each of its type.

``Fields`` reads the fields of an object that it knows, strictly: a value of the wrong kind and a field
that is missing are refused with a message that names the field. In a record, a field that it does not
know is left alone, because a later version of the suite may have added it. In a file that a person edits,
it is refused, because it is probably a typing error.
"""

from __future__ import annotations

import reprlib
import sys
from typing import Callable, Dict, FrozenSet, Mapping, Optional, Tuple, TypeVar

from reports.rows import Extremes

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxlong = _REPR.maxother = 60

_NOT_FINITE = ("inf", "-inf", "nan")
_LARGEST = int(sys.float_info.max)

T = TypeVar("T")


class Malformed(ValueError):
    """A decoded line has a field that is missing, not known, or of the wrong kind."""


class Fields:
    """The fields of one JSON object.

    ``expected`` names the fields that the object has. Those in ``optional`` may be
    missing: their default is read instead. That is how a record stays readable when a later
    version of the suite adds a field. ``closed``: the object may have no other fields.

    Raises:
        Malformed: another field is missing, or there is one that a closed object may not have.
    """

    def __init__(
        self,
        fields: Mapping[str, object],
        expected: Tuple[str, ...],
        optional: FrozenSet[str] = frozenset(),
        closed: bool = False,
    ) -> None:
        for name in expected:
            if name not in fields and name not in optional:
                raise Malformed(f"field {name!r} is missing")
        unknown = sorted(set(fields).difference(expected))
        if closed and unknown:
            raise Malformed(f"field {described(unknown[0])} is not known")
        self._fields = fields

    def text(self, name: str) -> str:
        """Return a string."""
        return self._as(name, as_text)

    def optional_text(self, name: str) -> Optional[str]:
        """Return a string or None."""
        return None if self._fields[name] is None else self._as(name, as_text)

    def flag(self, name: str) -> bool:
        """Return a bool."""
        return self._as(name, as_flag)

    def integer(self, name: str) -> int:
        """Return an integer."""
        return self._as(name, as_integer)

    def count(self, name: str) -> int:
        """Return an integer that is not negative."""
        return self._as(name, as_count)

    def optional_number(self, name: str) -> Optional[float]:
        """Return a float or None."""
        return None if self._fields[name] is None else self._as(name, as_float)

    def texts(self, name: str) -> Tuple[str, ...]:
        """Return a list of strings as a tuple."""
        return self.listed(name, as_text)

    def listed(self, name: str, convert: Callable[[object], T]) -> Tuple[T, ...]:
        """Return a list as a tuple, each item converted; an optional field may be missing."""
        items = self._fields.get(name, [])
        if not isinstance(items, list):
            raise Malformed(f"field {name!r} is {described(items)}, not a list")
        try:
            return tuple(convert(item) for item in items)
        except TypeError as error:
            raise Malformed(f"field {name!r} holds {error}") from None

    def objects(self, name: str, decode: Callable[[Mapping[str, object]], T]) -> Tuple[T, ...]:
        """Return a list of objects as a tuple, each decoded; an optional field may be missing."""
        try:
            return self.listed(name, lambda item: decode(as_object(item)))
        except Malformed as error:
            raise Malformed(f"in field {name!r}: {error}") from None

    def mapping(self, name: str, convert: Callable[[object], T]) -> Dict[str, T]:
        """Return an object as a dict, each value converted."""
        value = self._fields[name]
        if not isinstance(value, dict):
            raise Malformed(f"field {name!r} is {described(value)}, not an object")
        try:
            return {key: convert(item) for key, item in value.items()}
        except TypeError as error:
            raise Malformed(f"field {name!r} holds {error}") from None

    def _as(self, name: str, convert: Callable[[object], T]) -> T:
        try:
            return convert(self._fields[name])
        except TypeError as error:
            raise Malformed(f"field {name!r} is {error}") from None


def described(value: object) -> str:
    """Return the repr of a value, cut where it is long, for an error message."""
    return _REPR.repr(value)


def as_text(value: object) -> str:
    """Return ``value`` if it is a string; raise TypeError if not."""
    if isinstance(value, str):
        return value
    raise TypeError(f"{described(value)}, not a string")


def as_flag(value: object) -> bool:
    """Return ``value`` if it is a bool; raise TypeError if not."""
    if isinstance(value, bool):
        return value
    raise TypeError(f"{described(value)}, not true or false")


def as_integer(value: object) -> int:
    """Return ``value`` if it is an integer and no bool; raise TypeError if not."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError(f"{described(value)}, not an integer")


def as_count(value: object) -> int:
    """Return ``value`` if it is an integer that is not negative; raise TypeError if not."""
    number = as_integer(value)
    if number < 0:
        raise TypeError(f"{described(value)}, not a count")
    return number


def as_float(value: object) -> float:
    """Return a number, or one that JSON lacks by its name, as a float; raise TypeError if not."""
    if isinstance(value, float):
        return value
    if isinstance(value, str) and value in _NOT_FINITE:
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return float(value)
    raise TypeError(f"{described(value)}, not a number or one of {_NOT_FINITE}")


def as_extremes(value: object) -> Extremes:
    """Return ``value`` if it is a pair [smallest, largest]; raise TypeError if not."""
    if not isinstance(value, list) or len(value) != 2:
        raise TypeError(f"{described(value)}, not a pair [smallest, largest]")
    low, high = as_float(value[0]), as_float(value[1])
    if low > high:
        raise TypeError(f"{described(value)}, whose first is above its second")
    return low, high


def as_object(value: object) -> Mapping[str, object]:
    """Return ``value`` if it is a JSON object; raise TypeError if not."""
    if isinstance(value, dict):
        return value
    raise TypeError(f"{described(value)}, not an object")
