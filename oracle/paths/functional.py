"""Steps on the paths through the functional interface: batch_norm, functional_call, vmap, ensembles."""

from __future__ import annotations

import dataclasses
from typing import Dict

from cases.attributes import FLOATING, PARAMETERS
from cases.derivatives import Accumulate, Backward, Double
from cases.inputs import batch
from cases.inputs.batches import Batch
from cases.inputs.layouts import DENSE, ORDERS
from cases.steps import Convert, Forward, RequireGrad, Step
from cases.variants import NARROW, Variant
from oracle.accumulation import accumulated, found_again
from oracle.batch_norm import hands_over_buffers
from oracle.deviations.inputs import overflowing_variance_zeroes_output
from oracle.deviations.layouts import backward_misreads_ambiguous_layout
from oracle.deviations.situation import Situation
from oracle.meanings import advance
from oracle.numerics.normalisation import plane
from oracle.paths.compile import NOT_4D
from oracle.paths.guards import cumulates
from oracle.paths.rounding import gradients_in_16_bits, normalised_first, output_in_16_bits
from oracle.paths.walk import (
    Advance,
    allowing,
    by_forward,
    differentiated_graph,
    failing,
    leaving_behind,
    left_behind,
    remembering,
    tagged,
    thawed_apart,
    viewed,
    without_hooks,
)
from oracle.refusals import OVERLAPPING
from oracle.semantics import Rules, Semantics
from oracle.state import Expected, ExpectedError, Inside, State

FIRST = (NOT_4D, "Expected more than 1", "batch_norm eps", "division by zero", "argument '")
"""Parts of the messages of the checks that come before vmap meets the operator."""

COMPARED = "not supported between instances"


def _checked(found: Expected) -> bool:
    """Whether a check in Python refuses the call."""
    return found.error is not None and (
        any(part in found.error.pattern for part in FIRST) or COMPARED in found.error.pattern
    )


def _mixes(state: State, found: Expected, semantics: Semantics) -> bool:
    """Whether a float32 tensor that the forward is handed meets an input of 16 bits."""
    output = found.output
    if output is None or output.dtype not in NARROW or state.dtype != "float32":
        return False
    if not output.batch.values.size:  # no part computes anything
        return False
    handed = FLOATING if hands_over_buffers(state, Rules(semantics)) else PARAMETERS
    return any(state.entry(name) is not None for name in handed)


def _counted(state: State, found: Expected) -> State:
    return state.changed(num_batches_tracked=found.state.num_batches_tracked)


def _narrow(found: Expected) -> Expected:
    """Return the result of a forward whose affine map is a step of its own, rounded to 16 bits."""
    if found.output is None or found.output.dtype not in NARROW:
        return found
    return allowing(found, "vmap_narrow", output_in_16_bits(found))


def _vmap(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward under vmap, which refuses to update buffers that are not stacked."""
    assert isinstance(step, Forward)
    found = advance(state, step, variant, semantics)
    if _checked(found):
        return found
    given = batch(variant, step.batch)
    updates = state.training and state.track_running_stats and given.values.size
    fits = found.error is None or "should contain" not in found.error.pattern
    if updates and fits and (state.running_mean is not None or state.running_var is not None):
        refused = "Batch norm got a batched tensor as input while the running_mean or running_var"
        return failing(_counted(state, found), "RuntimeError", refused, "vmap_update")
    if found.error is not None:
        return tagged(found, "vmap_error") if _in_other_words(found.error, given) else found
    if _mixes(state, found, semantics):
        return tagged(found, "vmap_mixed")
    return _narrow(viewed(state, found, semantics))  # vmap adds a dimension and takes it off again


def _misread(
    found: Expected, state: State, step: Step, variant: Variant, semantics: Semantics
) -> Expected:
    """Return the result of a backward whose kernel misreads the product of upstream gradient and weight.

    The kernel knows no weight, by which vmap multiplies. The input's gradient is that of the known defect
    ``backward_misreads_ambiguous_layout``.
    """
    if isinstance(step, Accumulate):
        before = found_again(state)
        returned = advance(before, step.backward, variant, semantics)
        wrong = _misread(returned, before, step.backward, variant, semantics)
        return found if wrong is returned else tagged(accumulated(found, wrong), "vmap_misread")
    if found.gradients is None or found.gradients[0] is None:
        return found
    right, others = found.gradients[0], found.gradients[1:]
    weight, upstream = right.output.weight, right.upstream
    if not upstream.values.size:
        return found
    values = upstream.values if weight is None else upstream.values * plane(weight.values)
    product = dataclasses.replace(upstream, values=values, layout=_layout_of_product(upstream))
    alone = dataclasses.replace(
        right, output=dataclasses.replace(right.output, weight=None), upstream=product
    )
    kernel = Expected(state, gradients=(alone,))
    seen = backward_misreads_ambiguous_layout(kernel, Situation(state, step, variant, semantics, 1))
    if seen is kernel:
        return found
    gradients = (*(seen.gradients or ()), *others)
    return tagged(dataclasses.replace(found, gradients=gradients), "vmap_misread")


def _layout_of_product(upstream: Batch) -> str:
    """Return the layout of a new tensor, the product of an upstream gradient and the weight."""
    if upstream.memory_format == "channels_last":
        return "unsqueezed" if upstream.layout == "unsqueezed" else "channels_last"
    return upstream.layout if upstream.layout in ORDERS else "contiguous"


def _in_other_words(error: ExpectedError, given: Batch) -> bool:
    """Whether vmap may accept what the kernel refuses, or refuse it otherwise."""
    return not given.values.size or "mixed dtype" in error.pattern or error == OVERLAPPING


def _ensemble(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward of a member of an ensemble, whose tensors are all stacked."""
    assert isinstance(step, Forward)
    found = advance(state, step, variant, semantics)
    if not any(each is not None for each in state.entries()):
        return failing(state, "ValueError", "Expected at least one Tensor to vmap over", "ensemble_empty")
    if cumulates(state) and not (found.error is not None and NOT_4D in found.error.pattern):
        return failing(_counted(state, found), "RuntimeError", r"calling \.item\(\)", "ensemble_item")
    if _checked(found):
        return found
    if found.error is not None:
        otherwise = _in_other_words(found.error, batch(variant, step.batch))
        return tagged(found, "ensemble_error") if otherwise else found
    if _mixes(state, found, semantics):
        return tagged(found, "vmap_mixed", "ensemble_strides")
    if not state.config.num_features:
        return dataclasses.replace(found, inside=Inside(state, found, _of_two))
    found = _stacked(found, Situation(state, step, variant, semantics, 1))
    outputs = (found.output, *(state.path_memory[:1] if isinstance(state.path_memory, tuple) else ()))
    return tagged(_narrow(remembering(found, outputs)), "ensemble_strides")


def _stacked(found: Expected, situation: Situation) -> Expected:
    """Return what a forward of a stacked input shows, whose copies lie densely in memory.

    So a known defect of the kernels for dense tensors shows: the variance overflows.
    """
    output = found.output
    if output is None or output.batch.memory_format in DENSE:
        return found
    dense = dataclasses.replace(output.batch, layout="contiguous")
    right = dataclasses.replace(found, output=dataclasses.replace(output, batch=dense))
    seen = overflowing_variance_zeroes_output(right, situation)
    if seen is right or seen.output is None:
        return found
    output = dataclasses.replace(seen.output, batch=output.batch)
    state = seen.state.with_last_graph(output=output)
    return tagged(dataclasses.replace(seen, output=output, state=state), "ensemble_dense")


def _of_two(found: Expected) -> Expected:
    """Return the result of a forward if the two stacked modules have no channels."""
    if found.error is None:
        return found
    pattern = found.error.pattern.replace("size .0.", "size .2, 0.")
    return dataclasses.replace(found, error=found.error._replace(pattern=pattern))


def _afterwards(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step; a backward reads what the separate operators have kept."""
    found = advance(state, step, variant, semantics)
    graph = differentiated_graph(state, step)
    if graph is None:
        return found
    if found.error is not None or isinstance(step, Double):
        return tagged(found, "vmap_kept")
    if state.path_memory is None:
        found = _misread(found, state, step, variant, semantics)
    weight = None if state.weight is None else state.weight.numbers
    outputs = state.path_memory
    copied = isinstance(outputs, tuple) and all(each is not graph.output for each in outputs)
    if graph.output.weight is not weight or copied:
        return tagged(found, "vmap_kept")
    return _in_parts(tagged(found, "vmap_strides"), graph.output.dtype in NARROW)


def _in_parts(found: Expected, narrow: bool) -> Expected:
    """Return the expectation with gradients that separate operators may have computed."""
    right = normalised_first(found)
    seen = allowing(found, "vmap_weight", right)
    return allowing(seen, "vmap_narrow_gradients", gradients_in_16_bits(right)) if narrow else seen


def _keeping(one: Advance) -> Advance:
    """Return the function for a step; what a backward has added to ``.grad`` stays there."""

    def perform(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
        found = one(state, step, variant, semantics)
        parts = [part for _, grad in found.state.grads() for part in grad.parts]
        if found.allowances or not parts:
            return found
        return _in_parts(found, any(each.output.dtype in NARROW for each in parts))

    return perform


def _function(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a forward by the function alone, which calls no hook."""
    assert isinstance(step, Forward)
    return without_hooks(step, advance(state, step, variant, semantics), "function_hooks")


def _with_views(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step other than a forward, after forwards that were given views of the tensors.

    A conversion gives a Parameter other memory, and leaves the view where it was. A view is a node of the
    graph of its own, which comes after the operations that have read it.
    """
    if isinstance(step, Convert):
        return leaving_behind(state, step, variant, semantics)
    if isinstance(step, RequireGrad):  # a view that was made before leads to no leaf
        return thawed_apart(advance(state, step, variant, semantics))
    perform = leaving_behind if isinstance(step, Double) else advance
    found = perform(state, step, variant, semantics)
    if not isinstance(step, (Backward, Accumulate, Double)):
        return found
    if found.error is not None:
        return found if found.state is state else failing(state, *found.error, "view_unreached")
    return tagged(found, "view_left_behind") if left_behind(state, step) else found


STEPPING: Dict[str, Advance] = {
    "functional": by_forward(_function),
    "functional_call": by_forward(advance, _with_views),
    "vmap": by_forward(_keeping(_vmap), _keeping(_afterwards)),
    "ensemble": by_forward(_keeping(_ensemble), _keeping(_afterwards)),
}
"""Maps the name of a path to the function for a step on it; a path that is missing differs nowhere."""
