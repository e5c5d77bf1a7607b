"""What loading a state dict into a live module does."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

from cases.attributes import FLOATING
from cases.steps import LoadStateDict
from cases.variants import ATTACHED_COUNT, Variant
from oracle import refusals
from oracle.attributes import attached_numbers
from oracle.semantics import Rules
from oracle.state import Expected, ExpectedError, State, Tensor


class _Contents(NamedTuple):
    """The contents of a state dict.

    ``tensors``: the floating-point entries that the module has. ``counter``: num_batches_tracked, if the
    module has it. ``version``: in the metadata, None where there is none.
    """

    tensors: bool
    counter: bool
    version: Optional[int]


_CONTENTS: Dict[str, _Contents] = {
    "legacy": _Contents(tensors=True, counter=False, version=None),
    "empty": _Contents(tensors=False, counter=False, version=None),
    "no_counter": _Contents(tensors=True, counter=False, version=2),
    "version_1": _Contents(tensors=True, counter=False, version=1),
    "plain": _Contents(tensors=True, counter=True, version=None),
    "longer": _Contents(tensors=True, counter=True, version=2),
}
"""Word of ``LoadStateDict`` to what it loads."""


def load_state_dict(state: State, step: LoadStateDict, variant: Variant, rules: Rules) -> Expected:
    """Values are copied into the tensors that are there; a key that does not fit raises at the end."""
    contents = _CONTENTS[step.what]
    changes: Dict[str, Any] = {}
    for name in FLOATING if contents.tensors else ():
        tensor = state.entry(name)
        if isinstance(tensor, Tensor):
            numbers = attached_numbers(name, state)
            unseen = bool(state.graphs) and rules.holds("load_unseen_by_autograd")
            changes[name] = tensor.updated(numbers) if unseen else tensor.holding(numbers)
    error: Optional[ExpectedError] = None
    if step.what == "longer" and changes.pop("running_mean", None) is not None:
        channels = state.config.num_features
        error = refusals.too_long("running_mean", channels + 1, channels)
    count, counter_error = _loaded_counter(state, contents, rules)
    if count is not None and state.num_batches_tracked is not None:
        changes["num_batches_tracked"] = state.num_batches_tracked.at(count)
    strict = step.what != "empty"
    return Expected(state.changed(**changes), error=(error or counter_error) if strict else None)


def _loaded_counter(
    state: State, contents: _Contents, rules: Rules
) -> Tuple[Optional[int], Optional[ExpectedError]]:
    """The value that loading gives the counter, None where it keeps its own, and the error if any.

    A state dict of a version before 2, or of none, is given the counter that it lacks, if
    track_running_stats is set.
    """
    present = state.num_batches_tracked is not None
    if contents.counter and present:
        return ATTACHED_COUNT, None
    older = contents.version is None or contents.version < 2
    if older and state.track_running_stats:
        if not present:
            return None, refusals.UNEXPECTED_COUNTER
        return (0 if rules.holds("legacy_load_resets_counter") else None), None
    return None, refusals.MISSING_COUNTER if present else None
