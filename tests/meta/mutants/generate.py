"""Makes all mutants of a piece of source, in a fixed order, each with a stable key."""

from __future__ import annotations

import ast
import copy
import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Set, Tuple

from tests.meta.mutants.operators import OPERATORS

LEGIBLE = 40
"""The largest length of a text that is shown whole."""

Place = Tuple[ast.AST, str, Optional[int]]
"""A place in a tree: parent, field, and the index in the field when that is a list."""


@dataclass(frozen=True)
class Key:
    """The name of a mutant, the same in every run, whatever surrounds its line.

    ``function``: where it is, as in ``_NormBase.reset_parameters``. ``line``: the text of the source
    line. ``change``: the node before and after. ``repeat``: its number among those with the same words.
    """

    function: str
    operator: str
    line: str
    change: str
    repeat: int = 1


@dataclass(frozen=True)
class Mutant:
    """A mutant. ``code``: the whole piece of source with one change."""

    key: Key
    code: str


def _bare_text(node: ast.AST) -> bool:
    """Whether the node is a docstring, or a text that stands for a comment."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _inner(node: ast.AST) -> Iterator[Tuple[str, Optional[int], ast.AST]]:
    """Return the children that mean something at run time: no annotations, no decorators."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_comment", "ctx"):
            continue
        if isinstance(value, ast.AST):
            yield name, None, value
        elif isinstance(value, list):
            for place, each in enumerate(value):
                if isinstance(each, ast.AST):
                    yield name, place, each


def _excluded(node: ast.AST, exclusions: Dict[str, str]) -> bool:
    """Whether the node is no behaviour (texts, asserts for types) or one of the given regions.

    A region is a function's name, the beginning of the text of a statement or a keyword argument, or the
    whole text of an expression.
    """
    if _bare_text(node) or isinstance(node, (ast.Assert, ast.Import, ast.ImportFrom)):
        return True
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return True
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return node.name in exclusions
    if isinstance(node, ast.stmt):
        return any(ast.unparse(node).startswith(region) for region in exclusions)
    if isinstance(node, ast.keyword):
        return any(ast.unparse(node).startswith(region) for region in exclusions)
    return isinstance(node, ast.expr) and ast.unparse(node) in exclusions


def _nodes(tree: ast.AST, exclusions: Dict[str, str]) -> Iterator[Tuple[Place, ast.AST, str, int]]:
    """Yield every node that may be mutated: its place, itself, its function and its line."""

    def visit(node: ast.AST, function: str, line: int) -> Iterator[Tuple[Place, ast.AST, str, int]]:
        for name, place, child in _inner(node):
            if _excluded(child, exclusions):
                continue
            inside, at = function, getattr(child, "lineno", line)
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                inside = f"{function}.{child.name}" if function else child.name
            yield (node, name, place), child, inside, at
            yield from visit(child, inside, at)

    return visit(tree, "", 1)


def _put(place: Place, node: ast.AST) -> None:
    parent, name, number = place
    if number is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[number] = node


def _short(node: ast.AST) -> str:
    """Return the node's text; for a compound statement only the head."""
    if isinstance(node, ast.Pass):
        return "nothing"
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}" + (" ... else" if node.orelse else "")
    if isinstance(node, (ast.For, ast.With)):
        return ast.unparse(node).splitlines()[0].rstrip(":")
    return " ".join(ast.unparse(node).split())


def _change(node: ast.AST, replacement: ast.AST) -> str:
    """Return before and after; for long texts only the words from the first to the last difference."""
    before, after = _short(node).split(), _short(replacement).split()
    if len(" ".join(before)) > LEGIBLE:
        while before and after and before[0] == after[0]:
            before, after = before[1:], after[1:]
        while before and after and before[-1] == after[-1]:
            before, after = before[:-1], after[:-1]
    return f"{' '.join(before) or 'nothing'} -> {' '.join(after) or 'nothing'}"


def mutants(source: str, exclusions: Dict[str, str]) -> List[Mutant]:
    """Return all mutants of the source that compile, without two that read the same.

    ``exclusions``: regions that are left alone, each with the reason.
    """
    text = textwrap.dedent(source)
    tree, lines = ast.parse(text), text.splitlines()
    original = ast.unparse(tree)
    seen: Set[str] = {original}
    repeats: Counter[Tuple[str, str, str, str]] = Counter()
    found: List[Mutant] = []
    for place, node, function, line in list(_nodes(tree, exclusions)):
        for name, operator in OPERATORS.items():
            for replacement in operator(copy.deepcopy(node)):
                _put(place, ast.fix_missing_locations(ast.copy_location(replacement, node)))
                code = ast.unparse(tree)
                _put(place, node)
                if code in seen or not _compiles(code):
                    continue
                seen.add(code)
                change = _change(node, replacement)
                words = (function, name, lines[line - 1].strip(), change)
                repeats[words] += 1
                found.append(Mutant(Key(*words, repeat=repeats[words]), code))
    return found


def _compiles(code: str) -> bool:
    try:
        compile(code, "<mutant>", "exec")
    except SyntaxError:
        return False
    return True
