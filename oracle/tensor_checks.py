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
    if given.dtype != state.dtype:
        _check_dtype(given, state.dtype, (state.weight, state.bias, *running), rules)
    _check_forms(given, running, batch_statistics, rules)


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


def _check_dtype(
    given: Batch, module_dtype: str, handed_over: Sequence[Optional[Tensor]], rules: Rules
) -> None:
    """Raise Refusal for an input of another dtype than the tensors of the module.

    A float32 module takes an input of 16 bits, and a module without tensors any floating-point input.
    """
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


def _check_forms(given: Batch, running: Running, batch_statistics: bool, rules: Rules) -> None:
    """Raise Refusal for a statistic of shape (1, C), and for an expanded one that must be updated."""
    for tensor in (each for each in running if each is not None):
        if tensor.form == "row" and (batch_statistics or not rules.holds("eval_takes_rows")):
            raise not_one_dimensional(batch_statistics or given.memory_format in DENSE)
        if tensor.overlaps and batch_statistics:
            raise Refusal(*OVERLAPPING)


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
