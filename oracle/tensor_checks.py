"""The checks of the tensors that a forward hands to its kernel, in torch's order, as observed.

``oracle.refusals`` has the other exceptions of a forward.
"""

from __future__ import annotations

from typing import Optional, Sequence, Tuple

from cases.attributes import STATISTICS
from cases.inputs import Batch
from cases.inputs.layouts import DENSE
from cases.variants import NARROW
from oracle.outputs import refuses_trainable
from oracle.refusals import OVERLAPPING, Refusal, not_one_dimensional
from oracle.semantics import Rules
from oracle.state import State, Tensor

Running = Tuple[Optional[Tensor], Optional[Tensor]]
"""running_mean and running_var as the kernel gets them."""


def check_tensors(
    state: State, given: Batch, running: Running, batch_statistics: bool, way: str, rules: Rules
) -> None:
    """Raise Refusal where a tensor that the kernel is handed does not fit the input.

    ``way``: the way of calling. For an empty input only the lengths, and rows as weight or bias, are
    checked.
    """
    empty = not given.values.size
    _check_lengths(state, given, running, needed=not batch_statistics and not empty)
    if empty:
        check_empty_rows(state, given, rules)
        return
    _check_trainable(running, way, rules)
    _check_narrow(given.dtype, rules)
    _check_pair(running, rules)
    _check_read(state, given, running, batch_statistics, rules)


def _check_lengths(state: State, given: Batch, running: Running, needed: bool) -> None:
    """Raise Refusal for a tensor of another length than C. ``needed``: both statistics must be there."""
    channels = given.values.shape[1]
    tensors = zip((*STATISTICS, "weight", "bias"), (*running, state.weight, state.bias))
    for name, tensor in tensors:
        if tensor is None and needed and name in STATISTICS:
            raise Refusal("RuntimeError", f"{name} must be defined in evaluation mode")
        if tensor is not None and tensor.numbers.channels != channels:
            length = tensor.numbers.channels
            raise Refusal("RuntimeError", f"{name} should contain {channels} elements not {length}")


def check_empty_rows(state: State, given: Batch, rules: Rules) -> None:
    """Raise Refusal where an empty input cannot be broadcast against a weight or bias of shape (1, C)."""
    features, width = state.config.num_features, given.values.shape[-1]
    broadcasts = features == 1 or width in (1, features)
    if state.affine_rows and not broadcasts and not rules.holds("empty_output_detached"):
        raise Refusal("RuntimeError", "The size of tensor a .*must match the size of tensor b")


def _check_trainable(running: Running, way: str, rules: Rules) -> None:
    """Raise Refusal for a statistic that requires a gradient, in a call that refuses one."""
    for name, tensor in zip(STATISTICS, running):
        if tensor is not None and tensor.requires_grad and refuses_trainable(way, rules):
            raise Refusal("RuntimeError", f"(?s)(derivative|differentiable).*{name}")


def _check_narrow(dtype: str, rules: Rules) -> None:
    """Raise Refusal where the release has no kernel for a dtype of 16 bits."""
    if dtype == "float16" and rules.holds("float16_unsupported"):
        raise Refusal("RuntimeError", "\"batch_norm\" not implemented for 'Half'")
    if dtype == "bfloat16" and rules.holds("bfloat16_unsupported"):
        raise Refusal("RuntimeError", "\"batch_norm\" not implemented for 'BFloat16'")


def _check_pair(running: Running, rules: Rules) -> None:
    """Raise Refusal where one of the two statistics is there without the other."""
    one_alone = (running[0] is None) != (running[1] is None)
    if one_alone and not rules.holds("one_running_buffer_suffices"):
        pattern = "^running_mean and running_var must either both be None or neither be None$"
        raise Refusal("ValueError", pattern)


_WHOLE = {"int64": "Long", "uint8": "Byte", "bool": "Bool"}


def _check_dtype(given: Batch, dtypes: Sequence[str], alone: bool, rules: Rules) -> None:
    """Raise Refusal for an input of another dtype than the first tensor that the kernel is handed.

    A float32 module takes an input of 16 bits, and a module without tensors (``alone``) any
    floating-point input. ``dtypes``: those of the tensors; a load may have assigned some of them.
    """
    if given.dtype in _WHOLE:
        older = rules.holds("integer_input_is_runtime_error")
        message = f"\"batch_norm\" not implemented for '{_WHOLE[given.dtype]}'"
        if alone and given.memory_format == "other" and not rules.holds("integers_refused_alike"):
            older, message = rules.holds("integer_mean_is_runtime_error"), r"^mean\(\):"
        raise Refusal("RuntimeError" if older else "NotImplementedError", message)
    float32 = {*dtypes} == {"float32"}
    if alone or (given.dtype in NARROW and float32):
        return
    if rules.holds("scalar_type_message"):
        raise Refusal("RuntimeError", r"expected scalar type \w+ but found|Found dtype \w+ but")
    if not float32:
        raise Refusal("RuntimeError", "mixed dtype .CPU.: expect parameter to have scalar type of")
    if rules.holds("mixed_dtype_names_bfloat16"):
        raise Refusal("RuntimeError", "mixed dtype .CPU.: expect input to have scalar type of BFloat16")
    raise Refusal("RuntimeError", "mixed dtype .CPU.: all inputs must share same datatype")


def _check_read(
    state: State, given: Batch, running: Running, batch_statistics: bool, rules: Rules
) -> None:
    """Raise Refusal for a dtype or shape that the kernel does not read, in the order of its reading."""
    handed_over = [each for each in (state.weight, state.bias, *running) if each is not None]
    dtypes = [each.dtype or state.dtype for each in handed_over] or [state.dtype]
    if given.dtype != dtypes[0]:
        _check_dtype(given, dtypes, not handed_over, rules)
    dense = given.memory_format in DENSE and not state.gaps(True)
    if dense and not batch_statistics:
        _check_bias(state)
    for tensor in (each for each in running if each is not None):
        if tensor.form == "row" and (batch_statistics or not rules.holds("eval_takes_rows")):
            raise not_one_dimensional(batch_statistics or given.memory_format in DENSE)
        if (tensor.dtype or state.dtype) != dtypes[0] and (batch_statistics or dense):
            raise other_scalar_type()
        if tensor.overlaps and batch_statistics:
            raise Refusal(*OVERLAPPING)


def _check_bias(state: State) -> None:
    """Raise Refusal for a bias of another dtype than the weight."""
    dtypes = {each.dtype or state.dtype for each in (state.weight, state.bias) if each is not None}
    if len(dtypes) > 1:
        raise other_scalar_type()


def other_scalar_type() -> Refusal:
    """The error of a kernel that reads a tensor of another dtype than it was made for."""
    return Refusal("RuntimeError", r"expected scalar type \w+ but found \w+")


def check_affine_rows(
    state: State, given: Batch, gaps: bool, batch_statistics: bool, rules: Rules
) -> None:
    """Raise Refusal for weight and bias of two dtypes or of shape (1, C), which the kernel reads last.

    The kernels for dense inputs and dense tensors of the module do not read the shape of weight and bias.
    """
    if not given.values.size:
        return
    dense = given.memory_format in DENSE and not gaps
    if dense:
        _check_bias(state)
    by_shape = bool(state.affine_rows)
    if by_shape and dense:
        by_shape = batch_statistics and rules.holds("train_refuses_rows")
    if by_shape and not rules.holds("rows_unchecked"):
        raise not_one_dimensional(by_accessor=False)
    read = (state.weight, state.bias) if batch_statistics else state.tensors()
    if not dense and len({each.dtype or state.dtype for each in read if each is not None}) > 1:
        raise Refusal("RuntimeError", "needs_dynamic_casting.* INTERNAL ASSERT FAILED")
