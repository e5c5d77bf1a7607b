"""Paths through a wrapper that calls the module itself."""

from __future__ import annotations

from typing import Any

import torch

from tests.subject.paths.path import Made


class _Tracer(torch.fx.Tracer):
    """Takes the module for a leaf, also where it is not one of torch's own classes."""

    def is_leaf_module(self, m: Any, module_qualified_name: str) -> bool:
        """Whether the graph calls the module as a whole."""
        return not isinstance(m, torch.nn.Sequential)


class SymbolicTrace(Made):
    """``torch.fx.symbolic_trace`` of a Sequential that holds the module, which is a leaf of the graph.

    The module alone cannot be traced: its check of the rank branches on the input.
    """

    def make(self, module: Any, x: torch.Tensor) -> Any:
        """Return the program; raises what torch raises."""
        root = torch.nn.Sequential(module)
        return torch.fx.GraphModule(root, _Tracer().trace(root))


class DataParallel(Made):
    """``torch.nn.DataParallel``, which calls the module where there is no device."""

    def make(self, module: Any, x: torch.Tensor) -> Any:
        """Return the program; raises what torch raises."""
        return torch.nn.DataParallel(module)


PATHS = {"fx": SymbolicTrace, "data_parallel": DataParallel}
"""Maps the name of a path to its class."""
