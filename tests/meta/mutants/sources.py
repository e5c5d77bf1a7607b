"""The sources that are mutated, and the functions that make a subject of a mutated source.

Nothing of PyTorch is stored here: the sources are read from the installed torch when they are needed.
"""

from __future__ import annotations
import __future__ as future

import inspect
import sys
import types
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Tuple

import torch
import torch.nn.functional as functional
import torch.nn.modules.batchnorm as layers

from tests.meta.liars import derivative, kernel
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.mutants.generate import Mutant, mutants

MODULE = "tests.meta.mutants.subject"
"""The name of the module that a mutant claims to live in, so that it can be pickled."""


@dataclass(frozen=True)
class Source:
    """A piece of code under mutation.

    ``text``: reads it. ``build``: makes the subject class for a changed text. ``exclusions``: regions
    left alone, each with its reason. ``on_torch_kernel``: whether the subject has torch's known defects.
    """

    name: str
    text: Callable[[], str]
    build: Callable[[str], Any]
    exclusions: Dict[str, str]
    on_torch_kernel: bool

    def mutants(self) -> List[Mutant]:
        """Return all mutants of this source."""
        return mutants(self.text(), self.exclusions)


def _run(code: str, namespace: Dict[str, Any]) -> None:
    """Execute the code; annotations stay unevaluated, as the newest torch needs on old Pythons."""
    flags = future.annotations.compiler_flag
    exec(compile(code, f"<{MODULE}>", "exec", flags=flags, dont_inherit=True), namespace)


def _module(contents: Dict[str, Any]) -> types.ModuleType:
    """Return a fresh module with these contents under the name that all mutants share."""
    module = types.ModuleType(MODULE)
    module.__dict__.update({**contents, "__name__": MODULE})
    return module


FUNCTIONS: Tuple[Any, ...] = (
    functional._verify_batch_size,  # type: ignore[attr-defined]
    functional.batch_norm,
)
CLASSES: Tuple[Any, ...] = (layers._NormBase, layers._BatchNorm, layers.BatchNorm2d)


def _python_layer() -> str:
    return "\n\n".join(inspect.getsource(each) for each in FUNCTIONS + CLASSES)


def _layer_subject(code: str) -> Any:
    """Return torch's own classes and functions, executed anew.

    Functions and classes share one namespace, in which ``F`` is that namespace itself.
    """
    module = _module({**vars(functional), **vars(layers)})
    vars(module)["F"] = module
    sys.modules[MODULE] = module
    _run(code, vars(module))
    return vars(module)["BatchNorm2d"]


def _kernel_text() -> str:
    return inspect.getsource(kernel)


def _derivative_text() -> str:
    return inspect.getsource(derivative)


def _kernel_subject(code: str) -> Any:
    """Return the honest module above a changed kernel."""
    return _honest_above("Kernel", code)


def _derivative_subject(code: str) -> Any:
    """Return the honest module with a changed backward pass."""
    return _honest_above("Derivative", code)


def _honest_above(name: str, code: str) -> Any:
    """Return the honest module with the class ``name`` of the code before its own."""
    module = _module({})
    sys.modules[MODULE] = module
    _run(code, vars(module))
    bases = (vars(module)[name], HonestBatchNorm2d)
    subject = type("BatchNorm2d", bases, {"__module__": MODULE})
    vars(module)["BatchNorm2d"] = subject
    return subject


TORCH = Source(
    "torch",
    _python_layer,
    _layer_subject,
    {
        "__constants__": "for TorchScript alone",
        "if has_torch_function_variadic": "for subclasses of Tensor alone",
    },
    True,
)
KERNEL = Source(
    "kernel",
    _kernel_text,
    _kernel_subject,
    {
        "Tensor = ": "an alias for annotations",
        "followed": "for the wrappers of torch.func and forward mode alone",
        "unseen": "for the wrappers of torch.func alone",
        "plain": "for the wrappers of torch.func alone",
    },
    False,
)
BACKWARD = Source(
    "backward",
    _derivative_text,
    _derivative_subject,
    {"Gradients = ": "an alias for annotations"},
    False,
)
SOURCES: Tuple[Source, ...] = (TORCH, KERNEL, BACKWARD)
RELEASE = ".".join(torch.__version__.split(".")[:2])
