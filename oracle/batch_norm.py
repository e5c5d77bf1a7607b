"""The specification of BatchNorm2d: ``construct`` a module, call its ``forward``.

The input x has the shape (N, C, H, W). Each of the C channels is treated alone: its n = N*H*W values
are normalised with one mean and one variance, then scaled and shifted:

    y = (x - mean) / sqrt(variance + eps) * weight + bias

An absent weight counts as 1, an absent bias as 0.

    STATISTICS.  In train mode the batch's mean and *biased* variance (divided by n) normalise. In eval
    mode the running buffers do; if both are None, the batch's mean and biased variance.

    COUNTER.  In train mode, if track_running_stats is set and num_batches_tracked is there, the forward
    adds 1 to it. An input of the wrong rank is refused before that, any other one after it.

    RUNNING BUFFERS.  In train mode, if track_running_stats is set and the buffers are there,
        running = (1 - factor) * running + factor * batch
    with the batch's mean and *unbiased* variance (divided by n - 1). factor is momentum. If momentum is
    None, factor is 1/k, where k is the counter after this batch is counted; the buffers are then the
    plain average over all batches. Without a counter factor is 0. An empty batch is counted and leaves
    the buffers as they are.

    FLAGS AFTER CONSTRUCTION.  A forward does not read ``affine`` or ``num_features``. It reads
    ``momentum`` and ``eps`` every time. ``track_running_stats`` decides whether a train-mode forward
    counts and updates, and whether ``reset_running_stats`` resets. It does not decide which statistics
    normalise in eval mode; the presence of the buffers does.

This describes the newest release; ``rules.holds(name)`` says whether a rule of an older one holds.

Sources: Ioffe & Szegedy, "Batch Normalization" (ICML 2015); the documentation of
torch.nn.BatchNorm2d; and observation of the releases in the table.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple, Type

from cases.attributes import BUFFERS, PARAMETERS
from cases.construction import Config
from cases.inputs import Batch, batch
from cases.steps import Copy, Forward, Forwards, LoadStateDict, Step, Value, forwards
from cases.variants import Variant
from oracle import outputs, refusals, tensor_checks
from oracle.graphs import recorded
from oracle.numerics.budgeted import constant
from oracle.numerics.formats import FORMATS
from oracle.numerics.moving_average import moving_average
from oracle.numerics.normalisation import ExpectedOutput
from oracle.numerics.statistics import statistics
from oracle.refusals import Refusal
from oracle.semantics import Rules
from oracle.state import Counter, Expected, Meaning, State, Tensor
from oracle.state_dicts import load_state_dict


def construct(config: Config, dtype: str, rules: Rules) -> State:
    """Return a new module: weight 1, bias 0, running_mean 0, running_var 1, num_batches_tracked 0.

    affine=False leaves weight and bias None, bias=False only the bias; track_running_stats=False leaves
    the three buffers None. Raises Refusal where the release lacks a keyword that is passed.
    """
    if config.call == "dtype" and rules.holds("no_dtype_keyword"):
        raise refusals.unknown_keyword("dtype")
    if config.bias is not None and rules.holds("no_bias_keyword"):
        raise refusals.unknown_keyword("bias")

    def tensor(wanted: bool, value: float, trainable: bool) -> Optional[Tensor]:
        numbers = constant(value, config.num_features)
        return Tensor(numbers, object(), trainable) if wanted else None

    tracked = config.track_running_stats
    parameters: Tuple[str, ...] = PARAMETERS
    if not tracked and rules.holds("absent_statistics_are_parameters"):
        parameters = PARAMETERS + BUFFERS
    return State(
        config=config,
        dtype=dtype,
        num_features=config.num_features,
        eps=config.eps,
        momentum=config.momentum,
        affine=config.affine,
        track_running_stats=tracked,
        training=True,
        weight=tensor(config.affine, 1.0, True),
        bias=tensor(config.affine and config.bias is not False, 0.0, True),
        running_mean=tensor(tracked, 0.0, False),
        running_var=tensor(tracked, 1.0, False),
        num_batches_tracked=Counter(0, object()) if tracked else None,
        parameters=parameters,
    )


def forward(state: State, step: Forward, variant: Variant, rules: Rules) -> Expected:
    """Perform a forward: check the rank, count, choose the statistics, update the buffers, normalise.

    Return the state, and the output (N, C, H, W) or the error. Raise Refusal for an error before or
    during the count. A later error is returned with the state after the count.
    """
    given = batch(variant, step.batch, step.way == "view")
    refusals.check_way(step.way, given.dtype, rules)
    if given.values.ndim != 4:
        raise refusals.wrong_rank(given.values.ndim)
    state = _counted(state, step.way, rules)
    try:
        call = _kernel_arguments(state, given, step.way, rules)
    except Refusal as refusal:
        return Expected(state, error=refusal.error)
    trainable = outputs.trainable(state, given, step.way, rules)
    state = _updated(state, given, call, rules)  # this comes first: a buffer may be weight or bias, too
    try:
        gaps = state.gaps(call.handed_over)
        tensor_checks.check_affine_rows(state, given, gaps, call.batch_statistics, rules)
    except Refusal as refusal:
        return Expected(state, error=refusal.error)
    output = _output(state, given, call, bool(trainable), rules)
    graph = recorded(state, output, trainable, call.handed_over)
    if step.way == "input_overwritten":
        graph = graph._replace(modified=bool(given.values.size))
    state = state.changed(graphs=(graph, *state.graphs[:2]))
    return Expected(state, output=output, text=outputs.HOOKS if step.way == "hooked" else None)


def _counted(state: State, way: str, rules: Rules) -> State:
    """Add 1 to num_batches_tracked in train mode, if it is there and track_running_stats is set."""
    counter = state.num_batches_tracked
    if not (state.training and state.track_running_stats) or counter is None:
        return state
    rebound = rules.holds("counter_rebound")
    if rebound and "num_batches_tracked" in state.parameters:
        raise refusals.not_assigned("num_batches_tracked", "parameter")
    value = counter.value + 1 if counter.value < 2**63 - 1 else -(2**63)
    counted = Counter(value, object(), way == "inference") if rebound else counter.at(value)
    return state.changed(num_batches_tracked=counted)


class KernelArguments(NamedTuple):
    """The arguments of the kernel, the function that updates the buffers and normalises.

    ``batch_statistics``: the batch's own statistics normalise. ``handed_over``: the kernel gets the
    running buffers, each of which may still be None. ``factor``: the batch's share in the new buffers.
    """

    batch_statistics: bool
    handed_over: bool
    running_mean: Optional[Tensor]
    running_var: Optional[Tensor]
    factor: float
    eps: float


def _kernel_arguments(state: State, given: Batch, way: str, rules: Rules) -> KernelArguments:
    """Choose the kernel's arguments in the order of the module's own checks; raises Refusal."""
    n, _, h, w = given.values.shape
    factor = average_factor(state)
    batch_statistics = uses_batch_statistics(state, rules)
    if batch_statistics and n * h * w == 1:
        raise refusals.one_value_a_channel(given.values.shape)
    if isinstance(factor, str) and rules.holds("eps_unchecked"):
        raise refusals.momentum_is_text()  # the kernel parses momentum before eps
    refusals.check_eps(state.eps, batch_statistics, rules)
    if isinstance(factor, str):
        raise refusals.momentum_is_text()
    handed_over = hands_over_buffers(state, rules)
    running = (state.running_mean, state.running_var) if handed_over else (None, None)
    tensor_checks.check_tensors(state, given, running, batch_statistics, way, rules)
    assert factor is not None
    assert isinstance(state.eps, (int, float))
    return KernelArguments(batch_statistics, handed_over, *running, float(factor), float(state.eps))


def average_factor(state: State) -> Value:
    """Return momentum; if it is None, 1/k for the k-th batch, or 0 where nothing is counted.

    Raises Refusal where k is 0: the counter was -1 before the forward.
    """
    if state.momentum is not None:
        return state.momentum
    counter = state.num_batches_tracked
    if state.training and state.track_running_stats and counter is not None:
        if counter.value == 0:
            raise refusals.no_batch_counted()
        return 1.0 / float(counter.value)
    return 0.0


def numeric_factor(state: State) -> float:
    """Return ``average_factor`` where it is a number."""
    factor = average_factor(state)
    assert isinstance(factor, (int, float))
    return float(factor)


def uses_batch_statistics(state: State, rules: Rules) -> bool:
    """Whether the batch's own statistics normalise: in train mode, and where both buffers are None."""
    if state.training:
        return True
    neither = state.running_mean is None and state.running_var is None
    by_flag = not state.track_running_stats
    if neither != by_flag and rules.holds("flag_alone_selects_statistics"):
        return by_flag
    return neither


def hands_over_buffers(state: State, rules: Rules) -> bool:
    """Whether the kernel gets the running buffers: in train mode only if track_running_stats is set."""
    if not state.training or state.track_running_stats:
        return True
    present = state.running_mean is not None or state.running_var is not None
    return present and rules.holds("untracked_train_updates")


def _updated(state: State, given: Batch, call: KernelArguments, rules: Rules) -> State:
    """Compute (1 - factor) * running + factor * batch, in place, for each buffer handed over."""
    unchanged = call.running_mean is None and call.running_var is None
    if unchanged or not call.batch_statistics or not given.values.size:
        return state
    of_batch = statistics(given, rules.semantics.sums_exactly, device=rules.semantics.device)
    exact = given.exact and rules.semantics.sums_exactly
    for name, new in (("running_mean", of_batch.mean), ("running_var", of_batch.unbiased_variance)):
        tensor = state.entry(name)
        if isinstance(tensor, Tensor):
            fmt = FORMATS[tensor.dtype or state.dtype]
            numbers = moving_average(tensor.numbers, new, call.factor, fmt, exact)
            state = state.written(tensor.updated(numbers))
    return state


def _output(
    state: State, given: Batch, call: KernelArguments, requires_grad: bool, rules: Rules
) -> ExpectedOutput:
    """Compute (x - mean) / sqrt(variance + eps) * weight + bias, by batch or running statistics."""
    if not given.values.size:
        mean = variance = constant(0.0, given.values.shape[1])  # no element of an empty output reads them
    elif call.batch_statistics:
        of_batch = statistics(given, rules.semantics.sums_exactly, device=rules.semantics.device)
        mean, variance = of_batch.mean, of_batch.biased_variance
    else:
        assert call.running_mean is not None
        assert call.running_var is not None
        mean, variance = call.running_mean.numbers, call.running_var.numbers
    gaps = state.gaps(call.handed_over)
    return ExpectedOutput(
        batch=given,
        mean=mean,
        variance=variance,
        weight=None if state.weight is None else state.weight.numbers,
        bias=None if state.bias is None else state.bias.numbers,
        eps=call.eps,
        batch_statistics=call.batch_statistics,
        memory_format=outputs.memory_format(given, gaps, call.batch_statistics, rules),
        requires_grad=requires_grad,
        # With eps 0 (older releases) and variance 0, torch takes 1/sqrt(0) for 0: the output is the bias.
        flat_at_zero=call.batch_statistics and call.eps == 0,
        device=rules.semantics.device,
    )


def _forwards(state: State, step: Forwards, variant: Variant, rules: Rules) -> Expected:
    """Perform one forward after the other, up to the first that raises."""
    expected = Expected(state)
    for each in forwards(step):
        expected = forward(expected.state, each, variant, rules)
        if expected.error is not None:
            break
    return expected


def _copy(state: State, step: Copy, variant: Variant, rules: Rules) -> Expected:
    """Replace the module by a copy, which shares the tensors only if ``copy.copy`` made it."""
    if step.how == "copy":
        return Expected(state, copied=True, shared=state.present())
    copied = state
    if step.how == "state_dict":
        new = construct(state.config, state.dtype, rules)
        copied = new.changed(training=state.training, graphs=state.graphs)
        saved = state.keys()
        if {*copied.keys()} != {*saved} or "row" in [getattr(state.entry(n), "form", "") for n in saved]:
            raise refusals.other_keys()
    renewed: Dict[object, object] = {}
    changes: Dict[str, Any] = {}
    for name in state.keys() if step.how == "state_dict" else state.present():
        copy, original = copied.entry(name), state.entry(name)
        if isinstance(original, Counter):
            changes[name] = Counter(original.value, object())
        elif isinstance(copy, Tensor) and isinstance(original, Tensor):
            identity = renewed.setdefault(copy.identity, object())
            dense = step.how == "deepcopy" and name in state.parameters and copy.form != "row"
            form = "" if dense else copy.form  # a Parameter clones its values, a tensor its memory
            parts = (original.numbers, identity, copy.requires_grad)
            changes[name] = Tensor(*parts, form=form, dtype=copy.dtype)
    return Expected(copied.changed(**changes), copied=True)


MODULE_STEPS: Dict[Type[Step], Meaning] = {
    Forward: forward,
    Forwards: _forwards,
    Copy: _copy,
    LoadStateDict: load_state_dict,
}
"""Maps the type of a step to its meaning."""
