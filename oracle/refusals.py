"""What a forward refuses, and in which words: eps, and tensors that do not fit the input.

The messages are those of the releases, as observed; see ``oracle.semantics`` for who says what when.
"""

from __future__ import annotations

from typing import Optional, Tuple

from cases.inputs import Batch
from cases.steps import Value
from oracle.semantics import Rules
from oracle.state import ExpectedError, Slot, State
from oracle.text import just


class Refusal(Exception):
    """Raised inside a step when the module must raise; carries the error to expect."""

    def __init__(self, kind: str, pattern: str) -> None:
        super().__init__(kind, pattern)
        self.error = ExpectedError(kind, pattern)


def check_eps(eps: Value, batch_statistics: bool, rules: Rules) -> None:
    """Raises Refusal for what is no number, for a negative one, and in train mode for 0."""
    if not isinstance(eps, (int, float)):
        as_argument = rules.holds("eps_unchecked")
        compared = "'<=?' not supported between instances of"
        argument = r"argument 'eps' \(position 8\) must be float, not"
        raise Refusal("TypeError", argument if as_argument else compared)
    if not eps <= 0 or rules.holds("eps_unchecked"):
        return
    if eps == 0 and not batch_statistics and not rules.holds("eps_zero_refused_in_eval"):
        return
    if rules.holds("eps_zero_refused_in_eval"):
        raise Refusal("ValueError", f"^batch_norm eps must be positive, but got {just(eps)}$")
    when = "positive during training" if batch_statistics else "non-negative"
    raise Refusal("ValueError", f"^batch_norm eps must be {when}, but got {just(eps)}$")


def check_arguments(
    state: State,
    given: Batch,
    running_mean: Optional[Slot],
    running_var: Optional[Slot],
    batch_statistics: bool,
    rules: Rules,
) -> None:
    """What the kernel is handed must fit the input. Of an empty input only the channels count.

    Raises Refusal; checks in the order of the kernel's.
    """
    empty = not given.values.size
    if empty and rules.deviates("empty_input_unchecked"):
        return
    needed = not batch_statistics and not empty
    _check_tensor("running_mean", running_mean, given, needed)
    _check_tensor("running_var", running_var, given, needed)
    _check_tensor("weight", state.weight, given)
    _check_tensor("bias", state.bias, given)
    if empty:
        return
    for name, slot in (("running_mean", running_mean), ("running_var", running_var)):
        if slot is not None and slot.requires_grad:
            raise Refusal("RuntimeError", f"(?s)(derivative|differentiable).*{name}")
    one_alone = (running_mean is None) != (running_var is None)
    if one_alone and not rules.holds("one_running_buffer_suffices"):
        pattern = "^running_mean and running_var must either both be None or neither be None$"
        raise Refusal("ValueError", pattern)
    if given.dtype != state.dtype:
        _check_dtype(state, given, (running_mean, running_var), rules)


def _check_tensor(name: str, slot: Optional[Slot], given: Batch, needed: bool = False) -> None:
    if slot is None:
        if needed:
            raise Refusal("RuntimeError", f"{name} must be defined in evaluation mode")
        return
    length, channels = slot.quantity.channels, given.values.shape[1]
    if length != channels:
        raise Refusal("RuntimeError", f"{name} should contain {channels} elements not {length}")


def _check_dtype(
    state: State, given: Batch, running: Tuple[Optional[Slot], ...], rules: Rules
) -> None:
    """An input of another dtype. Only what is handed over has to be of the same."""
    found = given.dtype
    if found == "int64":
        is_runtime = rules.holds("integer_input_is_runtime_error")
        kind = "RuntimeError" if is_runtime else "NotImplementedError"
        raise Refusal(kind, "\"batch_norm\" not implemented for 'Long'")
    if all(slot is None for slot in (state.weight, state.bias, *running)):
        return
    if rules.holds("scalar_type_message"):
        raise Refusal("RuntimeError", "expected scalar type (Double|Float) but found (Double|Float)")
    if found == "float32":
        raise Refusal("RuntimeError", "mixed dtype .CPU.: expect parameter to have scalar type of")
    if rules.holds("mixed_dtype_names_bfloat16"):
        raise Refusal("RuntimeError", "mixed dtype .CPU.: expect input to have scalar type of BFloat16")
    raise Refusal("RuntimeError", "mixed dtype .CPU.: all inputs must share same datatype")
