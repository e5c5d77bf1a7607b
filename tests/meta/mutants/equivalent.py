"""The mutants that no case can tell from the original, of torch 2.13 and of the two kernels, and why.

The table is strict both ways: a survivor that it does not list fails the run, and so does a mutant that
it lists and some case kills.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from tests.meta.mutants.generate import Key

RELEASE = "2.13"
"""The torch release whose Python layer the table describes."""


@dataclass(frozen=True)
class Survivor:
    """A mutant and the reason why it survives.

    ``seen_by``: empty for a mutant that is equivalent to the original; otherwise it says which case would
    tell the two apart.
    """

    source: str
    key: Key
    reason: str
    seen_by: str = ""


def _because(source: str, reason: str, *keys: Key, seen_by: str = "") -> Tuple[Survivor, ...]:
    return tuple(Survivor(source, key, reason, seen_by) for key in keys)


_INIT = "_NormBase.__init__"
_LOAD = "_NormBase._load_from_state_dict"
_CAST_LINE = "if followed(x, *operands):  # one cast, so that its derivative is rounded once"
_CAST = "followed(x, *operands) -> followed(*operands, x)"
_VERSION_LINE = "if (version is None or version < 2) and self.track_running_stats:"
_DEVICE_LINE = 'and self.num_batches_tracked.device != torch.device("meta")'
_ZERO_LINE = "else torch.tensor(0, dtype=torch.long)"
_EPS, _MOMENTUM = "eps: float = 1e-5,", "momentum: float | None = 0.1,"

_TORCH: Tuple[Survivor, ...] = (
    *_because(
        "torch",
        "`size[i - 2]` for i = 0 and 1 is H and W, as `size[i + 2]` is, in four dimensions.",
        Key(
            "_verify_batch_size", "change arithmetic", "size_prods *= size[i + 2]",
            "i + 2 -> i - 2",
        ),
    ),
    *_because(
        "torch",
        "The module passes every argument to `batch_norm`: its defaults are never used.",
        Key("batch_norm", "replace constant", "training: bool = False,", "False -> True"),
        Key("batch_norm", "replace constant", "momentum: float = 0.1,", "0.1 -> 0.0"),
        Key("batch_norm", "replace constant", "momentum: float = 0.1,", "0.1 -> 1.1"),
        Key("batch_norm", "replace constant", _EPS, "1e-05 -> 0.0"),
        Key("batch_norm", "replace constant", _EPS, "1e-05 -> 1.00001"),
    ),
    *_because(
        "torch",
        "`_BatchNorm.__init__` passes every argument on: the defaults of its base are never used.",
        Key(_INIT, "replace constant", _EPS, "1e-05 -> 0.0"),
        Key(_INIT, "replace constant", _EPS, "1e-05 -> 1.00001"),
        Key(_INIT, "replace constant", _MOMENTUM, "0.1 -> 0.0"),
        Key(_INIT, "replace constant", _MOMENTUM, "0.1 -> 1.1"),
        Key(_INIT, "replace constant", "affine: bool = True,", "True -> False"),
        Key(_INIT, "replace constant", "track_running_stats: bool = True,", "True -> False"),
        Key(_INIT, "replace constant", "bias: bool = True,", "True -> False"),
    ),
    *_because(
        "torch",
        "The constructor ends with `reset_parameters`, which writes the initial values.",
        Key(
            _INIT, "swap names", '"running_mean", torch.zeros(num_features, **factory_kwargs)',
            "torch.zeros -> torch.ones",
        ),
        Key(
            _INIT, "swap names", '"running_var", torch.ones(num_features, **factory_kwargs)',
            "torch.ones -> torch.zeros",
        ),
        Key(_INIT, "replace constant", "0,", "0 -> 1"),
    ),
    *_because(
        "torch",
        "A tensor made from a whole number is int64 without being told.",
        Key(_INIT, "drop argument", "torch.tensor(", "dtype=torch.long, -> nothing"),
        Key(_INIT, "drop argument", "torch.tensor(", "dtype=torch.long, -> dtype=None,"),
    ),
    *_because(
        "torch",
        "`BatchNorm2d` overrides the method.",
        Key(
            "_NormBase._check_input_dim", "delete statement", "raise NotImplementedError",
            "raise NotImplementedError -> nothing",
        ),
    ),
    *_because(
        "torch",
        "A few lines above the factor was set to momentum already.",
        Key(
            "_BatchNorm.forward",
            "delete statement",
            "exponential_average_factor = self.momentum",
            "exponential_average_factor = self.momentum -> nothing",
            2,
        ),
        Key(
            "_BatchNorm.forward",
            "delete statement",
            "if self.momentum is None:  # use cumulative moving average",
            "if self.momentum is None ... else -> if self.momentum is None",
        ),
    ),
    *_because(
        "torch",
        "No module here lies on the meta device, and to compare a device with something else gives "
        "inequality.",
        Key(_LOAD, "unwrap call", _DEVICE_LINE, "torch.device('meta') -> 'meta'"),
        Key(_LOAD, "unwrap call", _DEVICE_LINE, "torch.device('meta') -> torch"),
        Key(
            _LOAD, "force condition", "if self.num_batches_tracked is not None",
            "self.num_batches_tracked.device != torch.device('meta') -> True",
        ),
    ),
    *_because(
        "torch",
        "Where the module has no counter, the key that is added is unexpected, whatever its value.",
        Key(
            _LOAD,
            "force condition",
            "self.num_batches_tracked",
            "self.num_batches_tracked is not None and "
            "self.num_batches_tracked.device != torch.device('meta') -> True",
        ),
        Key(_LOAD, "replace constant", _ZERO_LINE, "0 -> 1"),
        Key(_LOAD, "unwrap call", _ZERO_LINE, "torch.tensor(0, dtype=torch.long) -> torch"),
        Key(
            _LOAD, "drop argument", _ZERO_LINE,
            "torch.tensor(0, dtype=torch.long) -> torch.tensor(0)",
        ),
        Key(
            _LOAD, "drop argument", _ZERO_LINE,
            "torch.tensor(0, dtype=torch.long) -> torch.tensor(0, dtype=None)",
        ),
    ),
)

_OVERFLOW_LINE = "if torch.isinf(found.biased).any():"
_AVERAGE_LINE = "running.data.copy_((1 - factor) * wide(running.data) + factor * plain(new))"
_SHARED_LINE = "if from_batch and tensor.stride(0) == 0 and tensor.numel() > 1:"
_NOTHING_LINE = "return self.scale_and_shift(x.clone(), operands.weight, operands.bias)"

_KERNEL: Tuple[Survivor, ...] = (
    *_because(
        "kernel",
        "Whether any of them is followed does not depend on their order.",
        Key("Kernel.batch_norm", "swap arguments", _CAST_LINE, _CAST),
    ),
    *_because(
        "kernel",
        "The biased and the unbiased variance overflow together, save in a corner in which float64 "
        "is used without need.",
        Key(
            "Kernel.statistics", "swap names", "if torch.isinf(found.biased).any():",
            "found.biased -> found.unbiased",
        ),
    ),
    *_because(
        "kernel",
        "A variance that overflows then gives the bias alone: the known defect of torch's own kernel "
        "(overflowing_variance_zeroes_output), which another subject may share.",
        Key("Kernel.statistics", "force condition", _OVERFLOW_LINE, "if torch.isinf(found.biased).any() -> if False"),
        Key("Kernel.statistics", "delete statement", _OVERFLOW_LINE, "if torch.isinf(found.biased).any() -> nothing"),
        Key("Kernel.statistics", "unwrap call", "return self.two_passes(x.double())", "x.double() -> x"),
    ),
    *_because(
        "kernel",
        "A running statistic of 16 bits is rounded twice: part of the known defect of torch's own kernel "
        "(narrow_arithmetic), which another subject may share.",
        Key("Kernel.average", "unwrap call", _AVERAGE_LINE, "wide(running.data) -> running.data"),
    ),
    *_because(
        "kernel",
        "`copy_` takes the numbers alone, where nothing is recorded.",
        Key("Kernel.average", "unwrap call", _AVERAGE_LINE, "plain(new) -> new"),
    ),
    *_because(
        "kernel",
        "Expanding one number to one number leaves its stride at 1.",
        Key("Kernel.check_memory", "replace constant", _SHARED_LINE, "1 -> 0"),
    ),
    *_because(
        "kernel",
        "An output without elements has neither values nor memory to share.",
        Key(
            "Kernel.nothing", "swap arguments", _NOTHING_LINE,
            "operands.weight, operands.bias) -> operands.bias, operands.weight)",
        ),
        Key("Kernel.nothing", "unwrap call", _NOTHING_LINE, "x.clone() -> x"),
    ),
    *_because(
        "kernel",
        "`check_operands` lets both running statistics pass or neither.",
        Key(
            "Kernel.update", "swap names", "if operands.running_mean is not None:",
            "operands.running_mean -> operands.running_var",
        ),
        Key(
            "Kernel.update", "swap names", "if operands.running_var is not None:",
            "operands.running_var -> operands.running_mean",
        ),
    ),
    *_because(
        "kernel",
        "A sum does not depend on the order of its two terms.",
        Key(
            "Kernel.normalise", "swap arguments", "deviation = self.deviation(wide(variance), eps)",
            "self.deviation(wide(variance), eps) -> self.deviation(eps, wide(variance))",
        ),
    ),
)

_TWICE_LINE = "if kept.from_batch and kept.x.numel() and not self.differentiates_thrice:"
_THRICE_LINE = "differentiates_thrice = False"
_APPLY_LINE = "found: Tensor = Differentiable.apply((y.detach(),), x, *operands, *rest)"
_WANTED_LINE = "self.input_gradient(g, kept, terms) if wanted[0] else None,"
_CLONE_LINE = "ctx.running = tuple(None if each is None else each.clone() for each in running)"
_RETURN_LINE = "return (None, *ctx.derivative.differentiate(g, kept, wanted), *(None,) * 5)"

_EMPTY_LINE = "return torch.empty_strided(g.shape, g.stride(), dtype=gradient.dtype)"

_BACKWARD: Tuple[Survivor, ...] = (
    *_because(
        "backward",
        "Autograd converts a gradient to the dtype of its input, and one without elements has no digits to lose.",
        Key(
            "Derivative.gradient_laid_out", "drop argument", _EMPTY_LINE,
            "dtype=gradient.dtype) -> dtype=None)",
        ),
    ),
    *_because(
        "backward", "Running statistics require no gradient, so nothing is left out of theirs.",
        Key("Derivative.terms", "force condition", _TWICE_LINE, "kept.from_batch -> True"),
    ),
    *_because(
        "backward", "Each subject that is run sets it.",
        Key("Derivative", "delete statement", _THRICE_LINE, f"{_THRICE_LINE} -> nothing"),
    ),
    *_because(
        "backward",
        "The operations that computed the output are handed no gradient, and refuse the changes in place "
        "that are refused anyway.",
        Key("Derivative.differentiable", "unwrap call", _APPLY_LINE, "y.detach() -> y"),
    ),
    *_because(
        "backward",
        "Autograd drops a gradient of what needs none, and does not look at what follows the last one.",
        Key("Derivative.differentiate", "force condition", _WANTED_LINE, "wanted[0] -> True"),
        Key(
            "Differentiable.backward", "replace constant", "wanted = ctx.needs_input_grad[1:4]",
            "4 -> 5",
        ),
        Key("Differentiable.backward", "replace constant", _RETURN_LINE, "5 -> 6"),
    ),
    *_because(
        "backward",
        "A sum and a product do not depend on the order of their two terms.",
        Key(
            "Derivative.terms", "swap arguments", "self.inverse_deviation(variance, kept.eps),",
            "self.inverse_deviation(variance, kept.eps) -> self.inverse_deviation(kept.eps, variance)",
        ),
        Key(
            "Derivative.terms", "swap arguments", "self.product_sum(g, deviations),",
            "self.product_sum(g, deviations) -> self.product_sum(deviations, g)",
        ),
    ),
    *_because(
        "backward",
        "A backward in eval mode then reads the running statistics as they are by then: the known defect of "
        "torch's own kernel (eval_backward_reads_current_buffers), which another subject may share.",
        Key("Differentiable.forward", "unwrap call", _CLONE_LINE, "each.clone() -> each"),
    ),
)

TABLE: Tuple[Survivor, ...] = _TORCH + _KERNEL + _BACKWARD
