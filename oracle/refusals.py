"""The exceptions of constructing, calling, loading and differentiating a module, with their messages.

Those of ``torch.func`` and forward mode stand in ``oracle.transforms``, those of defects in
``oracle.deviations``. ``oracle.semantics`` says which release raises which, as observed. A message is a
regular expression, searched for in the text of the exception.
"""

from __future__ import annotations

import re
from typing import Optional, Sequence, Tuple

from cases.attributes import STATISTICS
from cases.inputs import Batch
from cases.inputs.layouts import DENSE
from cases.steps import WITH_GRADIENT, Value
from cases.variants import NARROW
from oracle.numerics.formats import FORMATS
from oracle.outputs import refuses_trainable
from oracle.semantics import Rules
from oracle.state import ExpectedError, State, Tensor


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


def check_tensors(
    state: State,
    given: Batch,
    running: Tuple[Optional[Tensor], Optional[Tensor]],
    batch_statistics: bool,
    way: str,
    rules: Rules,
) -> None:
    """Raise Refusal where a tensor that the kernel is handed does not fit the input.

    ``running``: running_mean and running_var as handed over. ``way``: the way of calling. For
    an empty input only the lengths, and rows as weight or bias, are checked.
    """
    empty = not given.values.size
    needed = not batch_statistics and not empty
    for name, tensor in zip(STATISTICS, running):
        if tensor is None and needed:
            raise Refusal("RuntimeError", f"{name} must be defined in evaluation mode")
        _check_length(name, tensor, given)
    _check_length("weight", state.weight, given)
    _check_length("bias", state.bias, given)
    if empty:
        check_empty_rows(state, given, rules)
        return
    for name, tensor in zip(STATISTICS, running):
        if tensor is not None and tensor.requires_grad and refuses_trainable(way, rules):
            raise Refusal("RuntimeError", f"(?s)(derivative|differentiable).*{name}")
    _check_narrow(given.dtype, rules)
    one_alone = (running[0] is None) != (running[1] is None)
    if one_alone and not rules.holds("one_running_buffer_suffices"):
        pattern = "^running_mean and running_var must either both be None or neither be None$"
        raise Refusal("ValueError", pattern)
    if given.dtype != state.dtype:
        _check_dtype(given, state.dtype, (state.weight, state.bias, *running), rules)
    for tensor in (each for each in running if each is not None):
        if tensor.form == "row" and (batch_statistics or not rules.holds("eval_takes_rows")):
            raise not_one_dimensional(batch_statistics or given.memory_format in DENSE)
        if tensor.overlaps and batch_statistics:
            raise Refusal(*OVERLAPPING)


def check_empty_rows(state: State, given: Batch, rules: Rules) -> None:
    """Raise Refusal where an empty input cannot be broadcast against a weight or bias of shape (1, C)."""
    features, width = state.config.num_features, given.values.shape[-1]
    broadcasts = features == 1 or width in (1, features)
    if state.affine_rows and not broadcasts and not rules.holds("empty_output_detached"):
        raise Refusal("RuntimeError", "The size of tensor a .*must match the size of tensor b")


def _check_narrow(dtype: str, rules: Rules) -> None:
    """Raise Refusal where the release has no kernel for a dtype of 16 bits."""
    if dtype == "float16" and rules.holds("float16_unsupported"):
        raise Refusal("RuntimeError", "\"batch_norm\" not implemented for 'Half'")
    if dtype == "bfloat16" and rules.holds("bfloat16_unsupported"):
        raise Refusal("RuntimeError", "\"batch_norm\" not implemented for 'BFloat16'")


def check_affine_rows(
    state: State, given: Batch, gaps: bool, batch_statistics: bool, rules: Rules
) -> None:
    """Raise Refusal for a weight or bias of shape (1, C), which the kernel for any strides reads last.

    The kernels for dense inputs and dense tensors of the module do not read the shape of weight and bias.
    """
    if not state.affine_rows or not given.values.size:
        return
    dense = given.memory_format in DENSE and not gaps
    if dense and not (batch_statistics and rules.holds("train_refuses_rows")):
        return
    if not rules.holds("rows_unchecked"):
        raise not_one_dimensional(by_accessor=False)


def not_one_dimensional(by_accessor: bool) -> Refusal:
    """The error of a tensor that is not 1-D: the accessor's, or that of the kernel for any strides."""
    found = "expected 1 dims but tensor has 2" if by_accessor else r"t\.dim\(\) == 1 ?INTERNAL ASSERT"
    return Refusal("RuntimeError", found)


def _check_length(name: str, tensor: Optional[Tensor], given: Batch) -> None:
    channels = given.values.shape[1]
    if tensor is not None and (length := tensor.numbers.channels) != channels:
        raise Refusal("RuntimeError", f"{name} should contain {channels} elements not {length}")


_WHOLE = {"int64": "Long", "uint8": "Byte", "bool": "Bool"}


def _check_dtype(
    given: Batch, module_dtype: str, handed_over: Sequence[Optional[Tensor]], rules: Rules
) -> None:
    """Refuse an input of another dtype than the tensors, if any, but a narrow one of a float32 module."""
    alone = all(tensor is None for tensor in handed_over)
    if given.dtype in _WHOLE:
        older = rules.holds("integer_input_is_runtime_error")
        message = f"\"batch_norm\" not implemented for '{_WHOLE[given.dtype]}'"
        if alone and given.memory_format == "other" and not rules.holds("integers_refused_alike"):
            older, message = rules.holds("integer_mean_is_runtime_error"), r"^mean\(\):"
        raise Refusal("RuntimeError" if older else "NotImplementedError", message)
    if alone or (given.dtype in NARROW and module_dtype == "float32"):
        return
    if rules.holds("scalar_type_message"):
        raise Refusal("RuntimeError", r"expected scalar type \w+ but found|Found dtype \w+ but")
    if module_dtype != "float32":
        raise Refusal("RuntimeError", "mixed dtype .CPU.: expect parameter to have scalar type of")
    if rules.holds("mixed_dtype_names_bfloat16"):
        raise Refusal("RuntimeError", "mixed dtype .CPU.: expect input to have scalar type of BFloat16")
    raise Refusal("RuntimeError", "mixed dtype .CPU.: all inputs must share same datatype")


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
