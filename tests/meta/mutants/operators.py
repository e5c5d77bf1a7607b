"""Mutation operators: each returns, for one syntax node, every node that may replace it.

Each operator is a pure function from a node to its replacements; ``OPERATORS`` names them.
``tests.meta.mutants.generate`` applies them to a tree.
"""

from __future__ import annotations

import ast
import copy
from typing import Callable, Dict, Iterator, List, Tuple, Type

Operator = Callable[[ast.AST], Iterator[ast.AST]]

COMPARISONS: Dict[Type[ast.cmpop], Tuple[Type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: Dict[Type[ast.operator], Tuple[Type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.Sub),
    ast.FloorDiv: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.Mod: (ast.Add,),
}
NAMES: Dict[str, Tuple[str, ...]] = {
    "running_mean": ("running_var",),
    "running_var": ("running_mean",),
    "weight": ("bias",),
    "bias": ("weight",),
    "momentum": ("eps",),
    "eps": ("momentum",),
    "affine": ("track_running_stats",),
    "track_running_stats": ("affine", "training"),
    "training": ("track_running_stats",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "zeros_": ("ones_",),
    "ones_": ("zeros_",),
    "zero_": ("neg_",),
    "add_": ("sub_",),
    "mean": ("variance",),
    "biased": ("unbiased",),
    "unbiased": ("biased",),
    "sqrt": ("abs",),
}
"""Maps a name to names that it is easily confused with."""

_DELETABLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.If, ast.For, ast.With)
_BRANCHING = (ast.If, ast.IfExp, ast.While)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """Return a copy of the node with other fields."""
    changed = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _without(items: List[ast.AST], place: int, *instead: ast.AST) -> List[ast.AST]:
    return [*items[:place], *instead, *items[place + 1 :]]


def _not(condition: ast.AST) -> ast.AST:
    assert isinstance(condition, ast.expr)
    return ast.UnaryOp(op=ast.Not(), operand=condition)


def negate_condition(node: ast.AST) -> Iterator[ast.AST]:
    """A condition, or one side of and/or, is negated."""
    if isinstance(node, _BRANCHING):
        yield _with(node, test=_not(node.test))
    if isinstance(node, ast.BoolOp):
        for place, value in enumerate(node.values):
            yield _with(node, values=_without(list(node.values), place, _not(value)))


def force_condition(node: ast.AST) -> Iterator[ast.AST]:
    """A condition, or one side of and/or, is always true, or always false."""
    for forced in (True, False):
        if isinstance(node, _BRANCHING):
            yield _with(node, test=ast.Constant(value=forced))
        if isinstance(node, ast.BoolOp):
            for place in range(len(node.values)):
                constant = ast.Constant(value=forced)
                yield _with(node, values=_without(list(node.values), place, constant))


def swap_and_or(node: ast.AST) -> Iterator[ast.AST]:
    """``and`` becomes ``or``, and the reverse."""
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def change_comparison(node: ast.AST) -> Iterator[ast.AST]:
    """A comparison becomes its opposite, or moves its boundary."""
    if isinstance(node, ast.Compare):
        for place, comparison in enumerate(node.ops):
            for other in COMPARISONS.get(type(comparison), ()):
                yield _with(node, ops=_without(list(node.ops), place, other()))


def change_arithmetic(node: ast.AST) -> Iterator[ast.AST]:
    """An arithmetic operator becomes another; a sign is dropped."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        for other in ARITHMETIC.get(type(node.op), ()):
            yield _with(node, op=other())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield node.operand


def replace_constant(node: ast.AST) -> Iterator[ast.AST]:
    """0 and 1 swap, other numbers become 0 and one more, booleans flip, texts become others."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(value=not value)
    elif isinstance(value, (int, float)):
        others = (1,) if value == 0 else (0, value + 1)
        for other in others:
            yield ast.Constant(value=type(value)(other))
    elif isinstance(value, str):
        yield ast.Constant(value="mutant")


def delete_statement(node: ast.AST) -> Iterator[ast.AST]:
    """A statement is left out; so is an ``else``."""
    if isinstance(node, _DELETABLE):
        yield ast.Pass()
    if isinstance(node, ast.If) and node.orelse:
        yield _with(node, orelse=[])


def return_none(node: ast.AST) -> Iterator[ast.AST]:
    """``return value`` becomes ``return None``."""
    if isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(value=ast.Constant(value=None))


def swap_arguments(node: ast.AST) -> Iterator[ast.AST]:
    """Two neighbouring positional arguments change places."""
    if isinstance(node, ast.Call):
        for place in range(len(node.args) - 1):
            first, second = node.args[place : place + 2]
            if ast.dump(first) != ast.dump(second):
                swapped = [*node.args[:place], second, first, *node.args[place + 2 :]]
                yield _with(node, args=swapped)


def drop_argument(node: ast.AST) -> Iterator[ast.AST]:
    """An argument becomes None; a keyword argument is not passed at all. ``**`` is left alone."""
    if not isinstance(node, ast.Call):
        return
    for place in range(len(node.args)):
        yield _with(node, args=_without(list(node.args), place, ast.Constant(value=None)))
    for place, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            yield _with(node, keywords=_without(list(node.keywords), place))
            nothing = ast.keyword(arg=keyword.arg, value=ast.Constant(value=None))
            yield _with(node, keywords=_without(list(node.keywords), place, nothing))


def unwrap_call(node: ast.AST) -> Iterator[ast.AST]:
    """``f(x)`` becomes ``x``, and ``x.f(...)`` becomes ``x``."""
    if isinstance(node, ast.Call):
        if len(node.args) == 1 and not node.keywords:
            yield node.args[0]
        if isinstance(node.func, ast.Attribute):
            yield node.func.value


def swap_names(node: ast.AST) -> Iterator[ast.AST]:
    """A name becomes one that it is easily confused with."""
    if isinstance(node, ast.Attribute):
        for other in NAMES.get(node.attr, ()):
            yield _with(node, attr=other)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for other in NAMES.get(node.id, ()):
            yield _with(node, id=other)


OPERATORS: Dict[str, Operator] = {
    "negate condition": negate_condition,
    "force condition": force_condition,
    "swap and/or": swap_and_or,
    "change comparison": change_comparison,
    "change arithmetic": change_arithmetic,
    "replace constant": replace_constant,
    "delete statement": delete_statement,
    "return None": return_none,
    "swap arguments": swap_arguments,
    "drop argument": drop_argument,
    "unwrap call": unwrap_call,
    "swap names": swap_names,
}
