"""Whether a case compared everything that its program implies.

The counts here come from the program and from what the oracle expects of it, not from the comparison:
a comparison that leaves something out is noticed.
"""

from __future__ import annotations

from collections import Counter
from typing import Mapping

from cases.attributes import FLAGS, TENSORS
from cases.case import Case
from oracle.expectations import Expectations

_ASPECTS = ("", " is the same object", " has a grad_fn", " requires_grad", " dtype", " shape")
"""What is compared of every tensor that is there."""
_OUTPUT = ("", "_dtype", "_shape", "_shares_input", "_requires_grad")
"""What is compared of every output."""


class IncompleteCase(AssertionError):
    """A case compared fewer quantities than its program implies."""


def implied(case: Case, expected: Expectations) -> Mapping[str, int]:
    """How often each quantity must be compared when the case has no findings."""
    counts: Counter[str] = Counter()
    if expected[0].error is not None:
        return Counter(exception=1)
    steps = 1 + len(case.steps)
    for name in ("exception", "input_changed", "output present", *FLAGS):
        counts[name] = steps
    for each in expected:
        if each.output is not None:
            counts.update(f"output{aspect}" for aspect in _OUTPUT)
            counts.update(("earlier_output_changed", f"output_strides {each.output.strides}"))
        for name in TENSORS:
            if each.state.entry(name) is None:
                counts[f"{name} present"] += 1
            else:
                counts.update(name + aspect for aspect in _ASPECTS)
        counts["text"] += each.text is not None
        counts["memory shared with the original"] += each.copied
    return counts


def check_complete(case: Case, expected: Expectations, compared: Mapping[str, int]) -> None:
    """Raises IncompleteCase where a quantity was compared less often than the program implies."""
    for quantity, count in implied(case, expected).items():
        if compared.get(quantity, 0) < count:
            raise IncompleteCase(
                f"{case.id}: {quantity} was compared {compared.get(quantity, 0)} times; "
                f"the program implies {count}"
            )
