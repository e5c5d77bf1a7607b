"""Loads the class that ``--subject package.module:Class`` names. Needs no torch."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any, NamedTuple

from tests.subject import DEFAULT
from tests.subject.adapter import Adapter
from tests.subject.errors import SubjectError
from tests.subject.foreign import place, said


class Environment(NamedTuple):
    """The torch that computes. ``version``: "" where an adapter needs none. ``threads``: of torch."""

    version: str
    threads: int


def adapts(found: object) -> bool:
    """Whether what was loaded is an adapter, which needs no torch."""
    return isinstance(found, type) and issubclass(found, Adapter)


def load(name: str) -> Any:
    """Return the class; raise SubjectError for a name that does not lead to a usable callable."""
    module_name, colon, class_name = name.partition(":")
    named = module_name and class_name and not module_name.startswith(".")
    if not colon or not named or "/" in module_name or module_name.endswith(".py"):
        raise SubjectError(f"subject {name!r}: accepted is package.module:Class, as in {DEFAULT}")
    module = _module(name, module_name)
    try:
        factory = getattr(module, class_name, None)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a package may import its modules now; foreign code may even exit
        raise SubjectError(f"subject {name!r}: importing {class_name!r} fails ({said(error)})") from error
    if factory is None:
        raise SubjectError(f"subject {name!r}: module {module_name!r} has no {class_name!r}")
    if not callable(factory):
        raise SubjectError(f"subject {name!r}: {class_name!r} is not callable")
    return factory


def _module(subject: str, name: str) -> ModuleType:
    """Import the module of a subject; raise SubjectError.

    The message tells a missing module from a module whose own imports fail.
    """
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # importing runs foreign code, which may even exit
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing is None or not (name + ".").startswith(missing + "."):
            where = "" if isinstance(error, SyntaxError) else f", raised at {place(error)}"
            text = f"importing {name!r} fails ({said(error)}){where}"
        elif "." in missing:
            package, _, module = missing.rpartition(".")
            text = f"package {package!r} has no module {module!r}"
        else:
            text = f"there is no module {missing!r}; is its folder on PYTHONPATH?"
        raise SubjectError(f"subject {subject!r}: {text}") from error
