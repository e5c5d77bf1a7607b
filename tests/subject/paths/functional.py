"""Paths through the functional interface: batch_norm, functional_call, vmap."""

from __future__ import annotations

import copy
from typing import Any, Dict

import torch

from tests.subject.paths.path import Path


class Functional(Path):
    """Calls ``torch.nn.functional.batch_norm`` as a user does who reimplements the module's forward.

    The function neither checks the rank nor counts, and takes a number as its momentum. The path
    does all three itself, as the documentation of the module says.
    """

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Return the output; raises what the path raises."""
        if x.dim() != 4:
            raise ValueError(f"expected 4D input (got {x.dim()}D input)")
        counted = module.training and module.track_running_stats
        counter = module.num_batches_tracked
        if counted and counter is not None:
            counter.add_(1)
        factor = module.momentum
        if factor is None:
            factor = 1.0 / float(counter) if counted and counter is not None else 0.0
        mean, variance = module.running_mean, module.running_var
        neither = mean is None and variance is None
        handed = (mean, variance) if counted or not module.training else (None, None)
        return torch.nn.functional.batch_norm(
            x,
            handed[0],
            handed[1],
            module.weight,
            module.bias,
            module.training or neither,
            factor,
            module.eps,
        )


def _views(module: Any) -> Dict[str, Any]:
    """Return another tensor in the memory of each parameter and buffer, by name.

    A gradient of the view of a parameter flows to the parameter.
    """
    views = {name: each.view_as(each) for name, each in module.named_parameters()}
    views.update((name, each.detach()) for name, each in module.named_buffers())
    return views


class FunctionalCall(Path):
    """Calls the module by ``torch.func.functional_call`` with views of its own tensors."""

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Return the output; raises what the path raises."""
        return torch.func.functional_call(module, _views(module), (x,))


class Vmap(Path):
    """Maps the module over a stack of one batch; its tensors are not stacked."""

    kernels = False

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Return the output; raises what the path raises."""
        return torch.func.vmap(module)(x.unsqueeze(0)).squeeze(0)


class Ensemble(Path):
    """Maps ``functional_call`` over the stacked states of the module and of a second one.

    ``torch.func.stack_module_state`` stacks them before every forward, because the module's tensors may
    have changed; its parameters are new leaves, so the module's own are put in their place by
    ``torch.stack``, through which gradients flow. The second module is a copy with other numbers. After
    the call, the stacked buffers of the first are written back.
    """

    kernels = False

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Return the output; raises what the path raises."""
        second = copy.deepcopy(module)
        with torch.no_grad():
            for each in second.parameters():
                each.copy_(each * 2 + 1)
        parameters, buffers = torch.func.stack_module_state([module, second])
        for name, own in module.named_parameters():
            parameters[name] = torch.stack([own, getattr(second, name).detach()])

        def member(parameters: Any, buffers: Any, x: torch.Tensor) -> Any:
            return torch.func.functional_call(module, (parameters, buffers), (x,))

        try:
            return torch.func.vmap(member, in_dims=(0, 0, None))(parameters, buffers, x)[0]
        finally:
            with torch.no_grad():
                for name, stacked in (*parameters.items(), *buffers.items()):
                    own = getattr(module, name)
                    if not torch.equal(own, stacked[0]):
                        own.data.copy_(stacked[0])


PATHS = {"functional": Functional, "functional_call": FunctionalCall, "vmap": Vmap, "ensemble": Ensemble}
"""Maps the name of a path to its class."""
