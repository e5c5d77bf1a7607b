"""The check that a case compared everything that its program implies.

The counts here come from the program and from what the oracle expects of it, not from the comparison, so
a comparison that leaves something out is noticed.
"""

from __future__ import annotations

from typing import Mapping, Sequence

from cases.attributes import FLAGS, TENSORS
from cases.case import Case
from cases.derivatives import GRADIENTS
from oracle.expectations import Expectations
from tests.comparison.promises import promised

_ASPECTS = ("", " is the same object", " has a grad_fn", " requires_grad", " dtype", " shape")
"""The aspects that are compared of every tensor that is there."""

OUTPUT = (
    "output",
    "output_dtype",
    "output_shape",
    "output_shares_input",
    "output_requires_grad",
    "earlier_output_changed",
)
"""The quantities that are compared of every output."""


STEP = (
    "exception",
    "input_changed",
    "output present",
    "gradients present",
    "grads present",
    "derivatives present",
)
"""The quantities that are compared of every step, in addition to the flags."""


class IncompleteCase(AssertionError):
    """A case compared fewer quantities than its program implies."""


def implied(case: Case, expected: Expectations, promise: str) -> Mapping[str, int]:
    """Return how often each quantity must be compared when the case has no findings."""
    counts = _shown(case, expected)
    return {name: times for name, times in counts.items() if promised(name, promise)}


def _shown(case: Case, expected: Expectations) -> Mapping[str, int]:
    """Return how often each quantity is there to be compared."""
    if expected[0].error is not None:
        return {"exception": 1}
    steps = 1 + len(case.steps)
    counts = dict.fromkeys((*STEP, *FLAGS), steps)
    outputs = [each.output.memory_format for each in expected if each.output is not None]
    counts.update(dict.fromkeys(OUTPUT, len(outputs)))
    for memory_format in set(outputs):
        counts[f"output_strides {memory_format}"] = outputs.count(memory_format)
    for name in TENSORS:
        absent = sum(each.state.entry(name) is None for each in expected)
        counts[f"{name} present"] = absent
        counts.update((name + aspect, steps - absent) for aspect in _ASPECTS)

    def add(name: str, aspects: Sequence[str]) -> None:
        for aspect in aspects:
            counts[name + aspect] = counts.get(name + aspect, 0) + 1

    facts = ("", " dtype", " shape", " strides", " requires_grad")
    for each in expected:
        for name, gradient in zip(GRADIENTS, each.gradients or ()):
            add(f"{name} gradient", (*facts, " shares memory") if gradient is not None else (" present",))
        for name, _ in each.state.grads():
            add(f"{name}.grad", facts)
        for derivative in each.derivatives:
            add(derivative.quantity, ("", " dtype", " shape"))
    counts["text"] = sum(each.text is not None for each in expected)
    counts["memory shared with the original"] = sum(each.copied for each in expected)
    return counts


def check_complete(case: Case, expected: Expectations, compared: Mapping[str, int], promise: str) -> None:
    """Raise IncompleteCase where a promised quantity was compared less often than the program implies."""
    for quantity, count in implied(case, expected, promise).items():
        if compared.get(quantity, 0) < count:
            raise IncompleteCase(
                f"{case.id}: {quantity} was compared {compared.get(quantity, 0)} times; "
                f"the program implies {count}"
            )
