"""The table from every quantity to the least promise that includes it.

*values* are numbers and their shapes: outputs, running statistics, parameters and gradients. A dtype is
no part of it: the numbers are held to the budgets of the dtype that torch would return, in whatever
floating-point dtype they come. That a step raises where torch does not is a finding at every promise,
because there is no number then.

*state* adds what a port of the module's logic has: the flags, the counter, which tensors and gradients
are None, that a step raises (whatever it raises), and that a call leaves its input and earlier outputs
alone.

*module* is all else that torch shows: dtypes, strides, ``requires_grad``, identity of objects, shared
memory, texts, class and message of exceptions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Dict, Iterator, Tuple

from cases.attributes import FLAGS, FLOATING, TENSORS
from cases.derivatives import GRADIENTS
from oracle.expected_derivatives import DERIVATIVES
from reports.rows import MODULE, PROMISES, STATE, VALUES

NUMBERS: Tuple[str, ...] = (
    "output",
    *FLOATING,
    *(f"{name} gradient" for name in GRADIENTS),
    *(f"{name}.grad" for name in ("input", *FLOATING)),
    *DERIVATIVES,
)
"""The quantities that are arrays of numbers with a promise of values."""


def _values() -> Iterator[str]:
    yield from ("exception", "output present", "gradients present")
    for name in NUMBERS:
        yield name
        yield "output_shape" if name == "output" else f"{name} shape"


def _state() -> Iterator[str]:
    yield from FLAGS
    yield from ("num_batches_tracked", "input_changed", "earlier_output_changed")
    yield from ("grads present", "derivatives present")
    yield from (f"{name} present" for name in TENSORS)
    yield from (f"{name} gradient present" for name in GRADIENTS)


def _module() -> Iterator[str]:
    yield from ("text", "memory shared with the original", "num_batches_tracked shape")
    yield from ("output_dtype", "output_shares_input", "output_requires_grad")
    yield from (f"output_strides {strides}" for strides in ("contiguous", "channels_last"))
    for name in TENSORS:
        for aspect in ("dtype", "requires_grad", "has a grad_fn", "is the same object"):
            yield f"{name} {aspect}"
    for name in GRADIENTS:
        for aspect in ("dtype", "strides", "requires_grad", "shares memory"):
            yield f"{name} gradient {aspect}"
    for name in ("input", *FLOATING):
        for aspect in ("dtype", "strides", "requires_grad"):
            yield f"{name}.grad {aspect}"
    yield from (f"{name} dtype" for name in DERIVATIVES)


QUANTITIES: Dict[str, str] = {
    **dict.fromkeys(_values(), VALUES),
    **dict.fromkeys(_state(), STATE),
    **dict.fromkeys(_module(), MODULE),
}
"""Maps every quantity that can be compared to the least promise that includes it."""


def promised(quantity: str, promise: str) -> bool:
    """Whether a promise includes a quantity; raises KeyError for what is no quantity."""
    return PROMISES.index(QUANTITIES[quantity]) <= PROMISES.index(promise)


@lru_cache(maxsize=None)
def kept(names: Tuple[str, ...], promise: str) -> Tuple[bool, ...]:
    """Say for each of the quantities whether the promise includes it."""
    return tuple(promised(name, promise) for name in names)
