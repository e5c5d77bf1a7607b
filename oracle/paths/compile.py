"""Steps on the paths through ``torch.compile``."""

from __future__ import annotations

import dataclasses
import re
from typing import Dict

from cases.steps import Forward, Step
from cases.variants import Variant
from oracle.meanings import advance
from oracle.paths.ahead import (
    MIXED_DTYPE,
    NOT_1D,
    ahead,
    ahead_decomposed,
    cached,
    donated,
    traced_ahead,
    with_symbolic_shapes,
)
from oracle.paths.decomposition import decomposed, in_16_bits
from oracle.paths.guards import called_as_it_is, cumulates, noted, skipping, with_hooks
from oracle.paths.walk import Advance, by_forward, failing, raised_as, tagged
from oracle.refusals import OVERLAPPING
from oracle.semantics import Semantics
from oracle.state import Expected, ExpectedError, Inside, State

NOT_4D, MOMENTUM = "expected 4D input", "argument 'momentum'"
"""Parts of the messages about an input of the wrong rank, and a momentum that is no number."""

PYTHON = (NOT_4D, "division by zero", MOMENTUM)
"""Parts of the messages of exceptions that Python raises, also where torch compiles: those of the
module's own code, and a TypeError, at which torch gives the graph up and calls the module as it is."""

UNSEEN = (MIXED_DTYPE, NOT_1D, "INTERNAL ASSERT")
"""Parts of the messages of checks that the captured graph does not make, so they come when it runs."""

OTHERWISE = {
    "both be None": "both be None",
    "not implemented for": "could not infer output dtype|Autograd not support dtype|two bool tensors",
    NOT_1D: "Attempting to broadcast a dimension|The size of tensor a .s[0-9]+: hint",
}
"""Maps a part of the message of a check to the message with which the same is refused in a graph."""


def _compiled(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward of a compiled module.

    An operator that refuses its arguments does so while the graph is captured, before anything ran. After
    a graph break torch calls the rest of the forward as it is, if that cannot be captured.
    """
    assert isinstance(step, Forward)
    found = advance(state, step, variant, semantics)
    error = found.error
    if error is None:
        return _returned(state, step, variant, found)
    if NOT_4D in error.pattern:
        return skipping(state, found)
    if any(part in error.pattern for part in PYTHON):
        return found
    if cumulates(state):
        return skipping(state, found)
    if called_as_it_is(state, step, variant) is not False:
        return found
    rows = NOT_1D in error.pattern and not state.training
    if any(part in error.pattern for part in UNSEEN) and not rows:
        return found
    # A graph refuses overlapping tensors, too, so the defect of the kernel cannot show.
    if error == OVERLAPPING:
        return _wrapped(state, found, error)

    def outside(found: Expected) -> Expected:
        if found.error is None:
            return _returned(state, step, variant, found)
        return _wrapped(state, found, found.error)

    return dataclasses.replace(outside(found), inside=Inside(state, found, outside))


def _returned(state: State, step: Forward, variant: Variant, found: Expected) -> Expected:
    """Return the result of a forward that raises nothing."""
    seen = noted(state, step, variant, with_hooks(state, step, variant, found))
    if state.config.num_features or called_as_it_is(state, step, variant):
        return seen

    def outside(each: Expected) -> Expected:
        if each.error is not None:  # by a defect of torch, before anything ran
            return dataclasses.replace(each, state=state)
        return noted(state, step, variant, with_hooks(state, step, variant, each))

    return dataclasses.replace(seen, inside=Inside(state, found, outside))


def _wrapped(state: State, found: Expected, error: ExpectedError) -> Expected:
    """Return the result of a forward whose operator refuses its arguments while the graph is captured."""
    pattern = raised_as(error, "TorchRuntimeError").pattern
    for part, instead in OTHERWISE.items():
        if part in pattern:
            pattern = instead
    wrapped = ExpectedError("TorchRuntimeError", _with_symbols(pattern))
    return tagged(Expected(state, error=wrapped, switches=found.switches), "compile_error")


def _with_symbols(pattern: str) -> str:
    """Return the pattern of a message in which a graph may show a symbol for a number: s50, zf18."""
    pattern = re.sub(r"(should contain) ([0-9]+) elements", r"\1 (\2|s[0-9]+) elements", pattern)
    pattern = re.sub(r"(eps must be .* but got) (\S+)$", r"\1 (\2|zf[0-9]+)", pattern)
    before, size, after = pattern.partition("got input size")
    return before + size + re.sub("[0-9]+", r"(\g<0>|s[0-9]+)", after)


def _fullgraph(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward of a module that must compile as one graph."""
    found = advance(state, step, variant, semantics)
    if found.error is not None and any(part in found.error.pattern for part in (NOT_4D, MOMENTUM)):
        return failing(state, "Unsupported", "", "fullgraph")
    if cumulates(state):
        return failing(state, "UserError", "data-dependent expression", "fullgraph")
    return _compiled(state, step, variant, semantics)


_ENDS = {"": _compiled, "_static": _compiled, "_dynamic": _compiled, "_fullgraph": _fullgraph}


def _performed(name: str, one: Advance) -> Advance:
    """Return the function for a step on the paths of a backend."""
    kind, _, end = name.rpartition("_")
    if "dynamo" in (kind, name):
        return by_forward(one)
    eager = name.startswith("aot_eager")
    others: Advance = ahead if eager else ahead_decomposed
    if end == "dynamic":
        others = with_symbolic_shapes(others)
        others = donated(others) if eager else others
    if end != "dynamic" or not eager:
        others = cached(others, name.startswith("inductor") or end == "dynamic")
    if eager:
        return by_forward(traced_ahead(one), others)
    return by_forward(in_16_bits(decomposed(traced_ahead(one), name)), in_16_bits(others))


STEPPING: Dict[str, Advance] = {
    name + end: _performed(name + end, one)
    for name in ("dynamo", "aot_eager", "aot_decomp", "inductor")
    for end, one in _ENDS.items()
}
"""Maps the name of a path to the function for a step on it."""
