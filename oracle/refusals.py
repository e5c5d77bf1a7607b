"""The exceptions of constructing, calling, loading and differentiating a module, with their messages.

Those of the tensors that a forward reads stand in ``oracle.tensor_checks``, those of ``torch.func`` and
forward mode in ``oracle.transforms``, those of defects in ``oracle.deviations``. ``oracle.semantics``
says which release raises which, as observed. A message is a regular expression, searched for in the text
of the exception.
"""

from __future__ import annotations

import re
from typing import Sequence

from cases.steps import WITH_GRADIENT, Value
from oracle.numerics.formats import FORMATS
from oracle.semantics import Rules
from oracle.state import ExpectedError


class Refusal(Exception):
    """Raised inside a step when the module must raise; carries the error to expect."""

    def __init__(self, kind: str, pattern: str) -> None:
        super().__init__(kind, pattern)
        self.error = ExpectedError(kind, pattern)


def literally(value: object) -> str:
    """Return a pattern for the value's text and nothing else."""
    return re.escape(str(value))


# --- attributes and state dicts ---------------------------------------------------------------

NONE_HAS_NO_METHOD = ExpectedError("AttributeError", "'NoneType' object has no attribute")
IN_PLACE_ON_A_LEAF = ExpectedError("RuntimeError", "a leaf Variable that requires grad")
INTEGER_WITH_GRADIENT = ExpectedError("RuntimeError", "only Tensors of floating point")
OVERLAPPING = ExpectedError("RuntimeError", "more than one element of the written-to tensor refers to")
MADE_IN_INFERENCE_MODE = ExpectedError("RuntimeError", "Inplace update to inference tensor")
NO_BFLOAT16 = ExpectedError("AttributeError", "has no attribute 'bfloat16'")
NO_TO_EMPTY = ExpectedError("LookupError", "^the release has no to_empty$")  # raised by the suite


def unknown_keyword(name: str) -> Refusal:
    """The error of a constructor that does not know the keyword."""
    return Refusal("TypeError", f"unexpected keyword argument '{name}'")


def not_assigned(name: str, place: str) -> Refusal:
    """The error of assigning what is no Parameter, or no tensor, to the name of a parameter or buffer."""
    return Refusal("TypeError", f"cannot assign .* as {place} '{name}'")


def already_there(name: str) -> Refusal:
    """The error of registering a buffer under the name of a parameter."""
    return Refusal("KeyError", f"attribute '{name}' already exists")


def other_keys() -> Refusal:
    """The error of a state dict that has other keys than the module."""
    return Refusal("RuntimeError", r"Error\(s\) in loading state_dict")


def not_loaded(
    missing: Sequence[str], unexpected: Sequence[str], mismatches: Sequence[str]
) -> ExpectedError:
    """The error of a state dict that does not fit; ``mismatches``: patterns for misfitting entries."""
    found = [f'Missing key[^\\n]*"{literally(name)}"' for name in missing]
    found += [f'Unexpected key[^\\n]*"{literally(name)}"' for name in unexpected]
    ahead = "".join(f"(?=.*{each})" for each in (*found, *mismatches))
    return ExpectedError("RuntimeError", f"(?s)^Error\\(s\\) in loading state_dict{ahead}")


def other_size(key: str, given: Sequence[int], own: Sequence[int]) -> str:
    """Return a pattern for the text about an entry of another size; ``key``: a pattern for its key."""
    sizes = [literally(list(size)) for size in (given, own)]
    return f"size mismatch for {key}:[^\\n]*{sizes[0]}[^\\n]*{sizes[1]}"


# --- a forward, in the order of the module's own checks ----------------------------------------


def check_way(way: str, dtype: str, rules: Rules) -> None:
    """Raise Refusal for an input of integers that must require a gradient, or a lack of inference mode.

    The module is not called then. ``dtype``: that of the input.
    """
    if way in WITH_GRADIENT and dtype not in FORMATS:
        raise Refusal(*INTEGER_WITH_GRADIENT)
    if way == "inference" and rules.holds("no_inference_mode"):
        raise Refusal("AttributeError", "has no attribute 'inference_mode'")


def wrong_rank(rank: int) -> Refusal:
    """The error of an input that is not 4-D."""
    return Refusal("ValueError", rf"^expected 4D input \(got {rank}D input\)$")


def no_batch_counted() -> Refusal:
    """The error of a cumulative average whose counter is 0 after counting: the factor would be 1/0."""
    return Refusal("ZeroDivisionError", "division by zero")


def one_value_a_channel(shape: Sequence[int]) -> Refusal:
    """The error of batch statistics of one value per channel."""
    message = "^Expected more than 1 value per channel when training, got input size"
    return Refusal("ValueError", rf"{message} torch\.Size\({literally(list(shape))}\)$")


def momentum_is_text() -> Refusal:
    """The error of a kernel that is handed a str as the momentum."""
    return Refusal("TypeError", r"argument 'momentum' \(position 7\) must be float, not str")


def check_eps(eps: Value, batch_statistics: bool, rules: Rules) -> None:
    """Raise Refusal for an eps that is no number, is negative, or is 0 where batch statistics normalise.

    Some releases allow every number; some also refuse 0 in eval mode.
    """
    if not isinstance(eps, (int, float)):
        compared = "'<=?' not supported between instances of"
        argument = r"argument 'eps' \(position 8\) must be float, not"
        raise Refusal("TypeError", argument if rules.holds("eps_unchecked") else compared)
    if not eps <= 0 or rules.holds("eps_unchecked"):
        return
    if eps == 0 and not batch_statistics and not rules.holds("eps_zero_refused_in_eval"):
        return
    when = "positive during training" if batch_statistics else "non-negative"
    if rules.holds("eps_zero_refused_in_eval"):
        when = "positive"
    raise Refusal("ValueError", f"^batch_norm eps must be {when}, but got {literally(eps)}$")


def not_one_dimensional(by_accessor: bool) -> Refusal:
    """The error of a tensor that is not 1-D: the accessor's, or that of the kernel for any strides."""
    found = "expected 1 dims but tensor has 2" if by_accessor else r"t\.dim\(\) == 1 ?INTERNAL ASSERT"
    return Refusal("RuntimeError", found)


# --- a backward -------------------------------------------------------------------------------


def no_output() -> Refusal:
    """The error of a backward before any forward; the suite itself raises this."""
    return Refusal("LookupError", "no forward has returned an output")


def output_without_graph() -> Refusal:
    """The error of differentiating an output that does not require a gradient."""
    return Refusal("RuntimeError", "element 0 of tensors does not require grad")


def nothing_to_differentiate() -> Refusal:
    """The error where no leaf of the output requires a gradient any more."""
    return Refusal("RuntimeError", "One of the differentiated Tensors does not require grad")


def graph_used_up() -> Refusal:
    """The error of a second backward through a graph that was not retained."""
    return Refusal("RuntimeError", "Trying to backward through the graph a second time")


def modified_in_place() -> Refusal:
    """The error where a tensor that the backward reads was written to after the forward."""
    return Refusal("RuntimeError", "modified by an inplace operation")


def invalid_gradient() -> Refusal:
    """The error of a gradient of shape (C,) for a parameter of shape (1, C)."""
    return Refusal("RuntimeError", "returned an invalid gradient at index [0-9] - got")


def other_shape() -> Refusal:
    """The error of an upstream gradient, or a direction, that has not the shape of what it belongs to."""
    return Refusal("RuntimeError", "^Mismatch in shape")


def converted() -> Refusal:
    """The error of a backward that reads a Parameter which was converted since the forward."""
    found = "mixed dtype .CPU.: expect parameter to have scalar type of|expected scalar type"
    return Refusal("RuntimeError", f"{found}|Found dtype")


def no_third_derivatives() -> Refusal:
    """The error of a third derivative where the release does not have one."""
    return Refusal("RuntimeError", r"does not support 3rd\+ order derivatives")


def bias_without_weight() -> Refusal:
    """The error of a backward with a bias but without a weight."""
    return Refusal("RuntimeError", "tensor does not have a device")
