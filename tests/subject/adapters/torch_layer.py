"""The common part of adapters of layers that are made of torch's tensors.

Such a layer is driven in NumPy terms where it is no drop-in: it lacks attributes of BatchNorm2d, or
cannot be called as BatchNorm2d is. It is judged by its numbers alone.
"""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

import numpy as np
import torch

from tests.subject.adapter import Adapter, Array, Gradients


class TorchLayer(Adapter):
    """A module with tensors under torch's names, called with a tensor of shape (N, C, H, W)."""

    offers = frozenset({"float32", "float64", "train", "eval", "backward", "retain", "earlier"})
    offers |= {"no_grad", "set:eps", "set:momentum", "copy", "load", "pickle"}

    def __init__(self, module: Any, dtype: str) -> None:
        self.module = module.to(getattr(torch, dtype))
        self.calls: List[Tuple[Any, List[Any]]] = []

    def forward(self, x: Array, training: bool, record: bool = True) -> Array:
        """Call the layer."""
        self.module.train(training)
        given = torch.from_numpy(x).requires_grad_()
        with torch.set_grad_enabled(record):
            output = self.called(given)
        leaves = [given, *(getattr(self.module, name) for name in ("weight", "bias"))]
        self.calls = [(output, leaves), *self.calls[:1]]
        return np.array(output.detach().numpy())

    def called(self, given: Any) -> Any:
        """Return what the module returns for a tensor."""
        return self.module(given)

    def backward(self, gradient: Array, earlier: bool = False) -> Gradients:
        """Differentiate the last output, or the one before it."""
        output, leaves = self.calls[int(earlier)]
        wanted = [each for each in leaves if each is not None and each.requires_grad]
        found = torch.autograd.grad(output, wanted, torch.from_numpy(gradient), retain_graph=True)
        by_leaf = {id(leaf): np.array(each.numpy()) for leaf, each in zip(wanted, found)}
        given, weight, bias = (by_leaf.get(id(leaf)) for leaf in leaves)
        assert given is not None
        return given, weight, bias

    def read(self, name: str) -> Optional[Array]:
        """Return a tensor of the layer under torch's name."""
        tensor = getattr(self.module, name)
        return None if tensor is None else np.array(tensor.detach().numpy())

    def write(self, name: str, values: Array) -> None:
        """Replace a tensor of the layer."""
        with torch.no_grad():
            getattr(self.module, name).copy_(torch.from_numpy(values))

    def set(self, name: str, value: Any) -> None:
        """Set eps or momentum of the live layer."""
        setattr(self.module, name, value)

    def copy(self) -> Adapter:
        """Return a copy, without what was recorded."""
        self.calls = []  # torch copies leaves only
        return super().copy()
