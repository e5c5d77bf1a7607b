"""The control of the liars: an independent BatchNorm2d that is right.

``HonestBatchNorm2d`` follows the newest semantics of ``oracle.semantics`` on every installed torch, in
ordinary torch operations. Each decision is a method of its own: a liar overrides one.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Dict, Optional

import torch
from torch.nn import Parameter

from tests.meta.liars.derivative import Derivative
from tests.meta.liars.kernel import Operands, Tensor, followed, spread, wide


class HonestBatchNorm2d(Derivative, torch.nn.Module):
    """BatchNorm2d as documented: the module's layer above ``Derivative`` and ``Kernel``."""

    _version = 2
    sums_exactly = True  # so that liars are held to the last bit where no operation rounds

    weight: Optional[Parameter]
    bias: Optional[Parameter]
    running_mean: Optional[Tensor]
    running_var: Optional[Tensor]
    num_batches_tracked: Optional[Tensor]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: Optional[float] = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.make_parameters(affine, affine and bias)
        self.make_buffers(track_running_stats)
        if device is not None or dtype is not None:
            self.to(device=device, dtype=dtype)

    def normalise(
        self,
        x: Tensor,
        mean: Tensor,
        variance: Tensor,
        weight: Optional[Tensor],
        bias: Optional[Tensor],
        eps: float,
    ) -> Tensor:
        """Return (x - mean) * (1 / s) * weight + bias where torch follows the operations on x.

        torch's second derivative of a quotient has a term that is 0 divided by s, which is NaN for s = 0.
        """
        if not followed(x):
            return super().normalise(x, mean, variance, weight, bias, eps)
        inverse = 1 / self.deviation(wide(variance), eps)
        y = (wide(x) - spread(mean)) * spread(inverse)
        return self.scale_and_shift(y, weight, bias).to(x.dtype)

    def extra_repr(self) -> str:
        """Return the text of the present attributes."""
        names = ("eps", "momentum", "affine", "bias", "track_running_stats")
        values = [str(self.num_features)]
        for name in names:
            value = self.bias is not None if name == "bias" else getattr(self, name)
            values.append(f"{name}={value}")
        return ", ".join(values)

    # --- construction and reset --------------------------------------------------------------

    def make_parameters(self, weight: bool, bias: bool) -> None:
        """Make weight 1 and bias 0, or None in their place."""
        ones, zeros = torch.ones(self.num_features), torch.zeros(self.num_features)
        self.register_parameter("weight", Parameter(ones) if weight else None)
        self.register_parameter("bias", Parameter(zeros) if bias else None)

    def make_buffers(self, wanted: bool) -> None:
        """Make mean 0, variance 1, counter 0, or None in their place."""
        zeros, ones = torch.zeros(self.num_features), torch.ones(self.num_features)
        self.register_buffer("running_mean", zeros if wanted else None)
        self.register_buffer("running_var", ones if wanted else None)
        counter = torch.tensor(0, dtype=torch.long)
        self.register_buffer("num_batches_tracked", counter if wanted else None)

    def reset_running_stats(self) -> None:
        """Set the buffers' initial values if the flag says so; its present value counts."""
        if self.track_running_stats:
            self.running_mean.zero_()  # type: ignore[union-attr]
            self.running_var.fill_(1)  # type: ignore[union-attr]
            self.num_batches_tracked.zero_()  # type: ignore[union-attr]

    def reset_parameters(self) -> None:
        """Set the initial values of everything; the present values of the flags count."""
        self.reset_running_stats()
        if self.affine:
            with torch.no_grad():
                self.weight.fill_(1)  # type: ignore[union-attr]
                if self.bias is not None:
                    self.bias.zero_()

    # --- one forward -------------------------------------------------------------------------

    def forward(self, x: Tensor) -> Tensor:
        """Perform a forward: check, count, choose the statistics, call the kernel."""
        self.check_input(x)
        if self.counts():
            self.count()
        factor, operands, from_batch = self.factor(), self.operands(), self.from_batch()
        y = self.batch_norm(x, operands, from_batch, factor, self.eps)
        if not x.numel():  # the output is a function of the parameters alone
            y = y.to(x.dtype)
            if any(each is not None and each.dim() != 1 for each in operands[:2]):
                return y  # the gradient of a row has the shape of the row
            if operands.weight is None:  # nothing that a backward would need
                return x.clone() if operands.bias is None else x.clone() + operands.bias[0]
            running = [each if each is None else each.detach() for each in operands[2:]]
            product = self.differentiable(
                y, x, Operands(operands.weight, None, *running), from_batch, self.eps
            )
            return product if operands.bias is None else (product + spread(operands.bias)).to(x.dtype)
        return self.differentiable(y, x, operands, from_batch, self.eps)

    def check_input(self, x: Tensor) -> None:
        """Raise ValueError unless the input has four dimensions."""
        if x.dim() != 4:
            raise ValueError(f"expected 4D input (got {x.dim()}D input)")

    def counts(self) -> bool:
        """Whether this forward is counted."""
        return self.training and self.track_running_stats and self.num_batches_tracked is not None

    def count(self) -> None:
        """Count one more batch, in place."""
        self.num_batches_tracked.add_(1)  # type: ignore[union-attr]

    def factor(self) -> float:
        """Return the weight of this batch in the moving average: momentum, or 1/k for the k-th batch."""
        if self.momentum is not None:
            return self.momentum
        return self.cumulative_factor()

    def cumulative_factor(self) -> float:
        """Return 1/k for the k-th batch; 0 when nothing is counted."""
        if not self.counts():
            return 0.0
        return 1.0 / float(self.num_batches_tracked)  # type: ignore[arg-type]

    def from_batch(self) -> bool:
        """Whether the batch's own statistics are used: in train mode, or without running ones."""
        return self.training or (self.running_mean is None and self.running_var is None)

    def updates(self) -> bool:
        """Whether the kernel is given the running statistics in train mode."""
        return self.track_running_stats

    def operands(self) -> Operands:
        """Return the tensors that the kernel is given."""
        if self.training and not self.updates():
            return Operands(self.weight, self.bias, None, None)
        return Operands(self.weight, self.bias, self.running_mean, self.running_var)

    # --- state dicts -------------------------------------------------------------------------

    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        """Load a copy, because torch leaves a mark in the metadata."""
        given: Any = OrderedDict(state_dict)
        metadata = getattr(state_dict, "_metadata", None)
        if metadata is not None:
            given._metadata = {key: dict(value) for key, value in metadata.items()}
        return super().load_state_dict(given, *args, **kwargs)

    def _load_from_state_dict(
        self, state_dict: Dict[str, Any], prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        """Load a state dict; one from before version 2 has no counter, and the module keeps its own."""
        if local_metadata.get("version", 1) < 2:
            self.complete_legacy(state_dict, prefix + "num_batches_tracked")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def complete_legacy(self, state_dict: Dict[str, Any], key: str) -> None:
        """Add the counter that the state dict lacks."""
        if self.track_running_stats and key not in state_dict:
            own = self.num_batches_tracked
            state_dict[key] = torch.tensor(0) if own is None else own
