"""Compares the observation of one step with what the oracle expects of it."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import Callable, Dict, Optional, Tuple, Union

from cases.attributes import FLAGS, FLOATING, TENSORS
from cases.derivatives import GRADIENTS
from oracle.accumulation import grad_values
from oracle.backward import gradient_values
from oracle.derivatives import derivative_values
from oracle.expected_derivatives import DERIVATIVES, ExpectedDerivative, ExpectedGradient, Grad
from oracle.numerics.formats import FORMATS, Format
from oracle.numerics.normalisation import ExpectedOutput, OutputValues, output_values
from oracle.state import Counter, Entry, Expected, ExpectedError, State
from reports.rows import MODULE
from tests.comparison.judgement import judge_tensor, judge_values
from tests.comparison.tally import Names, Tally
from tests.subject.observation import (
    Observation,
    ObservedDerivative,
    ObservedGrad,
    ObservedGradient,
    ObservedOutput,
    ObservedTensor,
    Raised,
)

EXCEPTION = "exception"
TEXT = "text"
SHARED = "memory shared with the original"
PRESENCE: Names = ("output present", "gradients present", "grads present", "derivatives present")
STEP: Names = ("input_changed", *PRESENCE, *FLAGS)
"""Compared after every step."""

OUTPUT: Dict[str, Names] = {
    memory_format: (
        "output_dtype",
        "output_shape",
        f"output_strides {memory_format}",
        "output_shares_input",
        "output_requires_grad",
        "earlier_output_changed",
    )
    for memory_format in ("contiguous", "channels_last")
}
"""Compared of an output; the key is its expected memory format."""

PRESENT: Dict[str, Names] = {name: (f"{name} present",) for name in TENSORS}
"""Compared of a tensor that one side lacks."""

FACTS: Dict[str, Names] = {
    name: (
        f"{name} dtype",
        f"{name} shape",
        f"{name} requires_grad",
        f"{name} has a grad_fn",
        f"{name} is the same object",
    )
    for name in TENSORS
}
"""Compared of a tensor that both sides have."""

GRADIENT_ASPECTS = ("dtype", "shape", "strides", "requires_grad", "shares memory")
GRADIENT: Dict[str, Names] = {
    name: tuple(f"{name} gradient {aspect}" for aspect in GRADIENT_ASPECTS)
    for name in GRADIENTS
}
"""Compared of a returned gradient."""

GRAD: Dict[str, Names] = {
    name: tuple(f"{name}.grad {aspect}" for aspect in ("dtype", "shape", "strides", "requires_grad"))
    for name in ("input", *FLOATING)
}
"""Compared of a ``.grad``."""

DERIVATIVE: Dict[str, Names] = {
    quantity: tuple(f"{quantity} {aspect}" for aspect in ("dtype", "shape"))
    for quantity in DERIVATIVES
}
"""Compared of a further derivative."""

DTYPE_OF = {"output": "output_dtype"}
"""The name of the quantity that is an array's dtype, where it is not the array's name and ``dtype``."""

Numbers = Union[ObservedOutput, ObservedGradient, ObservedGrad, ObservedDerivative, ObservedTensor]
"""An observation that has numbers."""


def compare(before: Optional[State], expected: Expected, got: Observation, tally: Tally) -> None:
    """Compare everything that one step shows; ``before`` is the state before it, None at construction."""
    output, state, grads = expected.output, expected.state, expected.state.grads()
    compare_error(expected.error, got.raised, tally)
    tally.equal(
        STEP,
        (got.input_changed, got.output is not None, got.gradients is not None)
        + (tuple([name for name, _ in got.grads]), tuple([name for name, _ in got.derivatives]))
        + got.flags,
        (expected.input_changed, output is not None, expected.gradients is not None)
        + (tuple([name for name, _ in grads]), tuple([each.quantity for each in expected.derivatives]))
        + state.flags(),
    )
    if output is not None and got.output is not None:
        _compare_output(output, got.output, tally)
    if expected.gradients is not None and got.gradients is not None:
        for gradient_name, want, seen in zip(GRADIENTS, expected.gradients, got.gradients):
            _compare_gradient(gradient_name, want, seen, tally)
    for grad_name, grad in grads:
        _compare_grad(grad_name, grad, dict(got.grads).get(grad_name), tally)
    for derivative in expected.derivatives:
        _compare_derivative(derivative, dict(got.derivatives).get(derivative.quantity), tally)
    earlier: Tuple[Entry, ...] = (None,) * len(TENSORS) if before is None else before.entries()
    entries = zip(TENSORS, earlier, state.entries(), got.tensors, got.same_objects)
    for name, old, entry, tensor, same in entries:
        _compare_tensor(name, state.dtype, old, entry, tensor, same, tally)
    if expected.text is not None:
        tally.equal((TEXT,), (got.text,), (expected.text,))
    if expected.copied:
        tally.equal((SHARED,), (got.shared,), (expected.shared,))


def compare_error(expected: Optional[ExpectedError], raised: Optional[Raised], tally: Tally) -> None:
    """Compare the exceptions; None is no exception."""
    if expected is None or raised is None:
        agrees = expected is None and raised is None
    elif tally.promise != MODULE:
        agrees = True  # what is raised belongs to torch's module alone
    else:
        agrees = raised.kind == expected.kind and _found(expected.pattern, raised.message)
    got = "no exception" if raised is None else f"{raised.kind}: {raised.message.strip()}"
    want = "no exception" if expected is None else f"{expected.kind} matching {expected.pattern!r}"
    tally.matches(EXCEPTION, agrees, got, want)


@lru_cache(maxsize=1024)
def _found(pattern: str, message: str) -> bool:
    return re.search(pattern, message) is not None


def _compare_output(expected: ExpectedOutput, got: ObservedOutput, tally: Tally) -> None:
    as_expected = got.channels_last if expected.memory_format == "channels_last" else got.contiguous
    tally.equal(
        OUTPUT[expected.memory_format],
        (got.dtype, got.values.shape, as_expected, got.shares_input, got.requires_grad)
        + (got.earlier_output_changed,),
        (expected.dtype, expected.shape, True, False, expected.requires_grad, False),
    )
    _judge("output", got, expected.shape, tally, partial(output_values, expected))


def _judge(
    quantity: str, got: Numbers, shape: Tuple[int, ...], tally: Tally, right: Callable[[], OutputValues]
) -> None:
    """Judge an array. ``right``: computes what it must be; called only if the array can be judged."""
    fmt = _format(quantity, got, shape, tally)
    if fmt is not None:
        tally.judged(quantity, judge_values(quantity, right(), got.values, fmt))


def _format(quantity: str, got: Numbers, shape: Tuple[int, ...], tally: Tally) -> Optional[Format]:
    """Return the format of the array's dtype; None for an array that is not judged.

    An array of another shape is not judged, because the comparison of shapes has found it already.
    """
    fmt = FORMATS.get(got.dtype)
    if fmt is None:
        tally.lacks(quantity, DTYPE_OF.get(quantity, f"{quantity} dtype"), f"dtype {got.dtype}")
    return fmt if got.values.shape == shape else None


def _compare_gradient(
    name: str, expected: Optional[ExpectedGradient], got: Optional[ObservedGradient], tally: Tally
) -> None:
    if expected is None or got is None:
        tally.equal((f"{name} gradient present",), (got is not None,), (expected is not None,))
        if expected is not None:
            tally.lacks(f"{name} gradient", f"{name} gradient present", "None")
        return
    as_expected = got.channels_last if expected.memory_format == "channels_last" else got.contiguous
    tally.equal(
        GRADIENT[name],
        (got.dtype, got.values.shape, as_expected, got.requires_grad, got.shares_memory),
        (expected.dtype, expected.shape, True, False, False),
    )
    _judge(f"{name} gradient", got, expected.shape, tally, partial(gradient_values, expected))


def _compare_grad(name: str, expected: Grad, got: Optional[ObservedGrad], tally: Tally) -> None:
    if got is None:
        tally.lacks(f"{name}.grad", "grads present", "None")
        return
    laid_out = got.as_leaf if expected.strides == "as_leaf" else got.contiguous
    tally.equal(
        GRAD[name],
        (got.dtype, got.values.shape, laid_out, got.requires_grad),
        (expected.dtype, expected.shape, True, False),
    )
    _judge(f"{name}.grad", got, expected.shape, tally, partial(grad_values, expected))


def _compare_derivative(
    expected: ExpectedDerivative, got: Optional[ObservedDerivative], tally: Tally
) -> None:
    """Compare a derivative, but not its strides: no documentation says what they are."""
    if got is None:
        tally.lacks(expected.quantity, "derivatives present", "None")
        return
    facts = got.dtype, got.values.shape
    tally.equal(DERIVATIVE[expected.quantity], facts, (expected.dtype, expected.shape))
    _judge(expected.quantity, got, expected.shape, tally, partial(derivative_values, expected))


def _compare_tensor(
    name: str,
    dtype: str,
    before: Entry,
    expected: Entry,
    got: Optional[ObservedTensor],
    same: bool,
    tally: Tally,
) -> None:
    """Compare a tensor. ``dtype``: that of the module's tensors. ``same``: the object is unchanged."""
    if expected is None or got is None:
        tally.equal(PRESENT[name], (got is not None,), (expected is not None,))
        if expected is not None:
            tally.lacks(name, f"{name} present", "None")
        return
    kept = before is not None and before.identity is expected.identity
    facts = (got.dtype, got.values.shape, got.requires_grad, got.has_grad_fn, same)
    if isinstance(expected, Counter):
        tally.equal(FACTS[name], facts, ("int64", (), False, False, kept))
        tally.equal((name,), (got.values.tolist(),), (expected.value,))
        return
    channels = expected.numbers.channels
    shape = (1, channels) if expected.form == "row" else (channels,)
    own = expected.dtype or dtype
    tally.equal(FACTS[name], facts, (own, shape, expected.requires_grad, False, kept))
    fmt = _format(name, got, shape, tally)
    if fmt is not None:
        tally.judged(name, judge_tensor(name, expected.numbers, got.values.tobytes(), fmt))
