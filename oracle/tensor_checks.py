"""The checks of the tensors that a forward hands to the kernel: lengths, dtypes and shapes.

Each raises the refusal that torch raises, in torch's order. ``oracle.refusals`` has the other refusals.
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
    _check_read(state, given, running, batch_statistics, rules)


def _check_read(
    state: State,
    given: Batch,
    running: Tuple[Optional[Tensor], Optional[Tensor]],
    batch_statistics: bool,
    rules: Rules,
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
    """Refuse a bias of another dtype than the weight."""
    dtypes = {each.dtype or state.dtype for each in (state.weight, state.bias) if each is not None}
    if len(dtypes) > 1:
        raise other_scalar_type()


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
    """Raise Refusal for a weight or bias of two dtypes or of shape (1, C), which the kernel reads last.

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


def other_scalar_type() -> Refusal:
    """The error of a kernel that reads a tensor of another dtype than it was made for."""
    return Refusal("RuntimeError", r"expected scalar type \w+ but found \w+")


def _check_length(name: str, tensor: Optional[Tensor], given: Batch) -> None:
    channels = given.values.shape[1]
    if tensor is not None and (length := tensor.numbers.channels) != channels:
        raise Refusal("RuntimeError", f"{name} should contain {channels} elements not {length}")


_WHOLE = {"int64": "Long", "uint8": "Byte", "bool": "Bool"}


def _check_dtype(given: Batch, dtypes: Sequence[str], alone: bool, rules: Rules) -> None:
    """Refuse an input of another dtype than the first tensor, but a narrow one of a float32 module.

    ``dtypes``: those of the tensors, which may differ after a load that assigned some of them. ``alone``:
    the module has no tensors.
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
