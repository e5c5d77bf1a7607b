"""Paths through ``torch.export``."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, Optional

import torch
from torch.export import Dim

from tests.subject.paths.path import Made


class Export(Made):
    """``torch.export.export`` of the module and the first input; flags, mode and presence are fixed."""

    shapes: ClassVar[Optional[Dict[int, Any]]] = None

    def make(self, module: Any, x: torch.Tensor) -> Any:
        """Return the program; raises what torch raises."""
        self.program = self.exported(module, x)
        return self.program.module()

    def exported(self, module: Any, x: torch.Tensor) -> Any:
        """Return the exported program."""
        shapes = None if self.shapes is None else (self.shapes,)
        return torch.export.export(module, (x.detach(),), dynamic_shapes=shapes)


class DynamicExport(Export):
    """N, H and W may change."""

    shapes: ClassVar[Optional[Dict[int, Any]]] = {0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO}


class DecomposedExport(Export):
    """The exported program with batch_norm decomposed into the operators of Core ATen."""

    def exported(self, module: Any, x: torch.Tensor) -> Any:
        """Return the exported program, decomposed."""
        return super().exported(module, x).run_decompositions()


PATHS = {"export": Export, "export_dynamic": DynamicExport, "export_decomposed": DecomposedExport}
"""Maps the name of a path to its class."""
