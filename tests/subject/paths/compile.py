"""Paths through ``torch.compile``: four backends, each in four ways."""

from __future__ import annotations

import contextlib
import io
import shutil
from typing import Any, Callable, Dict, List, Optional, Type

import torch
import torch._dynamo

from tests.subject.paths.path import Made, PathError

LIMIT = 1000
"""How often torch may compile the module anew for other flags or sizes. torch's own limit is 8; beyond
it, the module would be called eagerly, and the path would no longer be the one that is named."""


class Compiled(Made):
    """A module that torch compiles at the first forward, and again where its guards say so.

    ``graphs``: how many graphs the backend was given so far.
    """

    backend = "eager"
    dynamic: Optional[bool] = None
    fullgraph = False

    def __init__(self) -> None:
        super().__init__()
        self.graphs = 0

    def make(self, module: Any, x: torch.Tensor) -> Any:
        """Return the program; raises what torch raises."""
        torch._dynamo.reset()
        return torch.compile(
            module, backend=self._counted(), dynamic=self.dynamic, fullgraph=self.fullgraph
        )

    def _counted(self) -> Callable[..., Any]:
        """Return the backend, which counts the graphs that it is given."""
        compiler = torch._dynamo.lookup_backend(self.backend)

        def counted(graph: Any, inputs: List[Any], **options: Any) -> Any:
            self.graphs += 1
            return compiler(graph, inputs, **options)

        return counted

    def forward(self, module: Any, x: torch.Tensor) -> Any:
        """Return the output; raises what the path raises."""
        limits: Any = {"recompile_limit": LIMIT, "accumulated_recompile_limit": LIMIT}
        with torch._dynamo.config.patch(**limits), contextlib.redirect_stderr(io.StringIO()):
            return super().forward(module, x)


class Decomposed(Compiled):
    """A compiled module whose batch_norm is decomposed: other kernels compute mean and variance."""

    backend = "aot_eager_decomp_partition"
    sums_exactly = False
    kernels = False


class Inductor(Decomposed):
    """A module compiled to C++."""

    backend = "inductor"

    @classmethod
    def check(cls) -> None:
        """Raise PathError where it cannot be taken."""
        if not any(shutil.which(name) for name in ("g++", "clang++", "c++")):
            raise PathError("inductor needs a C++ compiler; install one, such as g++")


WAYS: Dict[str, Dict[str, Any]] = {
    "": {},
    "_static": {"dynamic": False},
    "_dynamic": {"dynamic": True},
    "_fullgraph": {"fullgraph": True},
}
"""Maps the end of a path's name to what it passes to ``torch.compile``."""

BACKENDS: Dict[str, Type[Compiled]] = {
    "dynamo": Compiled,
    "aot_eager": type("AotEager", (Compiled,), {"backend": "aot_eager"}),
    "aot_decomp": Decomposed,
    "inductor": Inductor,
}
"""Maps the beginning of a path's name to its class."""

PATHS: Dict[str, Type[Compiled]] = {
    name + end: type(name + end, (cls,), dict(way))
    for name, cls in BACKENDS.items()
    for end, way in WAYS.items()
}
"""Maps the name of a path to its class."""
