"""The form of the sources: lengths, docstrings, names, bytes, and words that are said once."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

from cases import attributes
from tests.meta.sources import CORE, SOURCES, Source
from tests.meta.test_layers import imported
from tests.subject import DEFAULT
from tests.subject.adapter import Adapter

each_source = pytest.mark.parametrize("source", SOURCES, ids=[source.path for source in SOURCES])
each_of_core = pytest.mark.parametrize("source", CORE, ids=[source.path for source in CORE])

NEWER_THAN_38 = {"zoneinfo", "graphlib", "tomllib", "compression", "annotationlib", "concurrent.interpreters"}
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "misc", "stuff", "tools"}

LONGEST_MODULE = 300
LONGEST_FUNCTION = 45
IGNORES = 10


# --- lengths ----------------------------------------------------------------------------------


@each_source
def test_length(source: Source) -> None:
    assert len(source.data.splitlines()) <= LONGEST_MODULE


def functions(tree: ast.AST) -> Iterator[Tuple[str, int]]:
    """Return every function and how many lines it has."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


@each_of_core
def test_length_of_functions(source: Source) -> None:
    assert [(name, lines) for name, lines in functions(source.tree) if lines > LONGEST_FUNCTION] == []


def test_few_types_are_ignored() -> None:
    found = [s.path for s in CORE for line in s.data.splitlines() if b"# type: ignore" in line]
    assert len(found) <= IGNORES, found


def broad(source: Source) -> Iterator[int]:
    """Return the lines of the handlers that catch every exception."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            named = node.type.id if isinstance(node.type, ast.Name) else ""
            if node.type is None or named in ("Exception", "BaseException"):
                yield node.lineno


@each_of_core
def test_a_broad_except_has_its_reason_beside_it(source: Source) -> None:
    lines = source.data.decode("utf-8").splitlines()
    assert [lines[n - 1] for n in broad(source) if "#" not in lines[n - 1] + lines[n]] == []


# --- docstrings -------------------------------------------------------------------------------


def undocumented(path: str, tree: ast.Module) -> List[str]:
    """Return the module, public classes and public functions without a docstring.

    In ``tests/meta`` the name of a function is a sentence, or overrides what is documented elsewhere, so
    only modules and classes need a docstring there. Nor does what an adapter overrides of ``Adapter``.
    """
    missing = [] if ast.get_docstring(tree) else ["the module"]
    kinds: Tuple[type, ...] = (ast.ClassDef, ast.FunctionDef)
    if path.startswith("tests/meta/"):
        kinds = (ast.ClassDef,)
    overridden = vars(Adapter) if path.startswith("tests/subject/adapters/") else {}

    def look(body: List[ast.stmt]) -> None:
        for node in body:
            if not isinstance(node, (ast.ClassDef, ast.FunctionDef)) or node.name.startswith("_"):
                continue
            if node.name in overridden:
                continue
            if isinstance(node, kinds) and not ast.get_docstring(node):
                missing.append(node.name)
            if isinstance(node, ast.ClassDef):
                look(node.body)

    look(tree.body)
    return missing


@each_source
def test_docstrings(source: Source) -> None:
    assert undocumented(source.path, source.tree) == []


def test_a_missing_docstring_is_seen() -> None:
    tree = ast.parse("class A:\n    def f(self): pass\n    def _g(self): pass\ndef h(): pass")
    assert undocumented("cases/a.py", tree) == ["the module", "A", "f", "h"]
    assert undocumented("tests/meta/a.py", tree) == ["the module", "A"]
    adapter = ast.parse('"""M."""\nclass A:\n    """A."""\n    def read(self): pass\n    def tell(self): pass')
    assert undocumented("tests/subject/adapters/a.py", adapter) == ["tell"]


@each_source
def test_names_say_something(source: Source) -> None:
    assert not set(Path(source.path).with_suffix("").parts) & EMPTY_NAMES


@each_source
def test_bytes(source: Source) -> None:
    text = source.data.decode("utf-8")
    assert not text.startswith("\ufeff")
    assert "\t" not in text
    assert "\r" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@each_source
def test_python_38_can_read_it(source: Source) -> None:
    ast.parse(source.data, feature_version=(3, 8))
    modules = set(imported(source.tree))
    assert not modules & NEWER_THAN_38
    # Annotations such as "int | None" are text to Python 3.8, but only with this import.
    if any(isinstance(node, (ast.ClassDef, ast.FunctionDef)) for node in source.tree.body):
        assert "__future__" in modules


def test_syntax_of_later_pythons_is_refused() -> None:
    later = "match 1:\n    case 1: pass\n"
    ast.parse(later)
    with pytest.raises(SyntaxError):
        ast.parse(later, feature_version=(3, 8))


# --- plain English ----------------------------------------------------------------------------

RIDDLES = ("Of ", "The same", "Both.", "That of", "As many", "In place of", "Has all") + tuple(
    f"What {word} " for word in ("the", "a", "is", "was", "has")
)
"""Beginnings of docstrings that make a reader guess the subject."""
OF_THE_MAKING = re.compile(r"\b(no longer|used to be|formerly|previously)\b", re.IGNORECASE)
"""Words that speak of how the software came about."""


def riddles(tree: ast.AST) -> List[str]:
    """Return the docstrings that begin like a riddle or describe the making of the software."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    texts = (ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, kinds))
    return [text for text in texts if text.startswith(RIDDLES) or OF_THE_MAKING.search(text)]


@each_of_core
def test_docstrings_are_plain(source: Source) -> None:
    assert [text.splitlines()[0] for text in riddles(source.tree)] == []


def test_a_riddle_is_seen() -> None:
    for text in ("Of a batch.", "What the kernel gets.", "Both.", "It no longer counts."):
        assert riddles(ast.parse(f'def f():\n    """{text}"""'))
    assert not riddles(ast.parse('def f():\n    """What construction and every step must show."""'))


# --- said once --------------------------------------------------------------------------------

WORDS = {
    name: getattr(attributes, name)
    for name in ("PARAMETERS", "STATISTICS", "BUFFERS", "FLOATING", "TENSORS", "FLAGS")
}


def listed(tree: ast.AST) -> Iterator[Tuple[str, ...]]:
    """Yield every tuple, list or set of texts that a source writes out."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            constants = (each.value for each in node.elts if isinstance(each, ast.Constant))
            yield tuple(each for each in constants if isinstance(each, str))


def said_again(source: Source) -> List[str]:
    """Return the words of cases/attributes.py and the default subject, where they are written out."""
    found = [name for texts in listed(source.tree) for name, words in WORDS.items() if texts == words]
    if source.path == "cases/attributes.py":
        return []
    if source.path != "reports/rows.py":
        constants = (n.value for n in ast.walk(source.tree) if isinstance(n, ast.Constant))
        found += [DEFAULT for value in constants if value == DEFAULT]
    return found


@each_of_core
def test_the_words_are_said_once(source: Source) -> None:
    long = [name for name in said_again(source) if name not in ("PARAMETERS", "STATISTICS")]
    assert long == []


def test_a_list_that_is_written_out_again_is_seen() -> None:
    for text in (repr(attributes.TENSORS), repr(list(attributes.FLAGS)), repr(DEFAULT)):
        source = Source("oracle/a.py", text.encode(), ast.parse(text))
        assert said_again(source)


def test_the_words_are_made_of_each_other() -> None:
    assert attributes.FLOATING == attributes.PARAMETERS + attributes.STATISTICS
    assert set(attributes.TENSORS) == set(attributes.PARAMETERS + attributes.BUFFERS)
