"""Steps on the paths through ``torch.export``."""

from __future__ import annotations

import dataclasses
from typing import Dict, Tuple

from cases.derivatives import Accumulate, Backward, Double
from cases.inputs import batch
from cases.steps import Forward, Step
from cases.variants import Variant
from oracle.meanings import advance
from oracle.paths.compile import NOT_4D, UNSEEN
from oracle.paths.guards import cumulates
from oracle.paths.making import Made, inner_of, made_of, through
from oracle.paths.walk import Advance, by_forward, failing, tagged
from oracle.semantics import Semantics
from oracle.state import Expected, State

READ = ("training", "momentum", "eps", "track_running_stats")
"""The flags that a forward reads, all of which an exported program has as constants."""

REFUSED = (*UNSEEN, "not implemented for", "either both be None", "more than one element")
"""Parts of the messages of checks that torch.export makes in other words, in another order or later."""


def _export(dynamic: bool, decomposed: bool) -> Advance:
    """Return the function for a forward. ``dynamic``: N, H and W may change."""

    def forward(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        assert isinstance(step, Forward)
        inner = inner_of(state)
        if inner is None:
            return _exported(state, step, variant, semantics, decomposed)
        made = state.path_memory
        assert isinstance(made, Made)
        given = batch(variant, step.batch)
        shape = given.values.shape
        found = through(state, inner, step, variant, semantics)
        if dynamic and made.strides and given.strides != made.strides and len(shape) == 4:
            return tagged(found, "export_layout")
        fits = _fits(shape, made.shape, dynamic)
        if not fits and len(shape) == 4:
            return failing(state, "AssertionError", r"Guard failed: input\.size\(\)", "export_sizes")
        if not fits or found.error is not None or inner.dtype != state.dtype:
            return tagged(found, "export_input")
        tagged_so = _tagged(state, inner, found, step, decomposed)
        return _writing_later(inner, tagged_so) if decomposed else tagged_so

    return forward


def _fits(shape: Tuple[int, ...], before: Tuple[int, ...], dynamic: bool) -> bool:
    """Whether the program takes an input of this shape; a size of 1 is no dynamic one."""
    if shape == before or not dynamic or len(shape) != 4:
        return shape == before
    sizes = enumerate(zip(shape, before))
    return all(now == then or (place != 1 and then != 1) for place, (now, then) in sizes)


def _exported(
    state: State, step: Forward, variant: Variant, semantics: Semantics, decomposed: bool
) -> Expected:
    """Perform the first forward, of which the program is made before it is run."""
    right = advance(state, step, variant, semantics)
    error, empty = right.error, not batch(variant, step.batch).values.size
    if error is not None and NOT_4D in error.pattern:
        return right
    if cumulates(state):
        dependent = "data-dependent expression"
        return failing(state, "GuardOnDataDependentSymNode", dependent, "export_item")
    alone = (state.running_mean is None) != (state.running_var is None)
    trainable = error is not None and "derivative" in error.pattern  # it is refused after one alone
    refused = error is not None and any(part in error.pattern for part in REFUSED)
    if error is not None and not empty and not refused and not (alone and trainable):
        return failing(state, *error, "export_refuses")
    if error is not None or empty:
        return tagged(right, "export_refused")
    neither = state.running_mean is None and state.running_var is None
    buffer = "num_batches_tracked" not in state.parameters
    if neither and buffer and state.num_batches_tracked is not None:
        return tagged(right, "export_absent")
    if decomposed and _writes(state) and _aliased(state):
        failed = "expected compiled_fn to be GraphModule"
        return failing(state, "AssertionError", failed, "decomposed_alias")
    found = made_of(right, parameters=True)
    return _writing_later(state, tagged(found, "decomposed_strides")) if decomposed else found


def _writes(inner: State) -> bool:
    """Whether a forward of the program updates running statistics."""
    tracks = bool(inner.training) and bool(inner.track_running_stats)
    return tracks and inner.running_mean is not None


def _aliased(state: State) -> bool:
    """Whether a running statistic has a second name in the module."""
    there = [each.identity for each in state.entries() if each is not None]
    statistics = [each.identity for each in (state.running_mean, state.running_var) if each is not None]
    return any(there.count(each) > 1 for each in statistics)


def _writing_later(inner: State, found: Expected) -> Expected:
    """Return the result of a forward whose program writes to the running buffers after its operator.

    The operator saves the buffers for the backward, and autograd sees the write.
    """
    if not _writes(inner):
        return found

    def outside(each: Expected) -> Expected:
        return dataclasses.replace(each, state=each.state.with_last_graph(modified=True))

    inside = found.inside
    if inside is not None:
        later = inside._replace(outside=lambda each: outside(inside.outside(each)))
        found = dataclasses.replace(found, inside=later)
    return outside(found)


def _decomposed_backward(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step that is no forward; a backward may need buffers that were written to."""
    found = advance(state, step, variant, semantics)
    if not isinstance(step, (Backward, Accumulate, Double)) or found.error is None:
        return found
    return tagged(found, "decomposed_backward") if "inplace" in found.error.pattern else found


def _tagged(state: State, inner: State, found: Expected, step: Forward, decomposed: bool) -> Expected:
    """Return the expectation with the names of the clauses that apply."""
    clauses = ["decomposed_strides"] if decomposed else []
    if _otherwise(state, inner):
        clauses.append("export_constants")
    if step.way == "hooked":
        found, clauses = dataclasses.replace(found, text=""), [*clauses, "export_hooks"]
    return tagged(found, *clauses)


def _otherwise(state: State, inner: State) -> bool:
    """Whether the module has other flags or tensors now than the program."""
    if any(repr(getattr(state, name)) != repr(getattr(inner, name)) for name in READ):
        return True
    identities = ([getattr(e, "identity", None) for e in each.entries()] for each in (state, inner))
    return next(identities) != next(identities)


STEPPING: Dict[str, Advance] = {
    "export": by_forward(_export(dynamic=False, decomposed=False)),
    "export_dynamic": by_forward(_export(dynamic=True, decomposed=False)),
    "export_decomposed": by_forward(_export(dynamic=False, decomposed=True), _decomposed_backward),
}
"""Maps the name of a path to the function for a step on it."""
