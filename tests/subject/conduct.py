"""Tries modules that the class under test makes: how they treat their tensors, and what calls return."""

from __future__ import annotations

import copy
import random
import warnings
from contextlib import nullcontext
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import torch

from cases.attributes import FLOATING, TENSORS

Factory = Callable[..., Any]


def _dense(tensor: torch.Tensor) -> bool:
    """Whether the tensor is contiguous, and alone in its storage."""
    storage: Any = getattr(tensor, "untyped_storage", tensor.storage)()  # the first is of torch 2.0
    size = len(storage) if hasattr(tensor, "untyped_storage") else len(storage) * tensor.element_size()
    return tensor.is_contiguous() and size == tensor.numel() * tensor.element_size()


def _listed(module: Any) -> str:
    """Return the names of the tensors in the order in which the module lists them, twice."""
    names = {id(getattr(module, name)): name for name in TENSORS}
    lists = (module.parameters(), module.buffers(), module.parameters(False), module.buffers(False))
    return ", ".join(" ".join(names[id(each)] for each in tensors) for tensors in lists)


def _converted(made: Factory) -> str:
    """Return the dtypes of modules that were converted to float64 in four ways, and a refusal."""
    pattern = torch.zeros(1, dtype=torch.float64)
    modules = (
        made().to(dtype=torch.float64),
        made().to(pattern.device, torch.float64),
        made().to(pattern),
        made().type(torch.float64),
    )
    found = [{str(getattr(each, name).dtype) for name in FLOATING} for each in modules]
    try:
        made().to(torch.int64)
    except Exception as error:  # its class is what is told
        found.append({type(error).__name__})
    return " ".join(name for each in found for name in sorted(each))


def tensors(factory: Factory) -> str:
    """Tell how new modules list their tensors, hold them in memory, convert, share and delete them."""

    def made() -> Any:
        return factory(3)

    module, shared, original = made(), made(), made()
    facts: Dict[str, object] = {"lists": _listed(module)}
    facts["dense"] = all(_dense(getattr(module, name)) for name in TENSORS)
    facts["modes"] = [module.train(mode).training for mode in (False, True, False)]
    facts["converts"] = _converted(made)
    returned = shared.share_memory() is shared
    facts["shares"] = returned and all(getattr(shared, name).is_shared() for name in TENSORS)
    copied = copy.copy(original)
    copied.eps, copied.extra = 0.5, torch.nn.Parameter(torch.zeros(1))
    facts["copies"] = [original.eps, hasattr(original, "extra")]
    saved = original.state_dict()
    facts["saves"] = type(saved).__name__
    facts["loads"] = made().load_state_dict(dict(saved), strict=False).unexpected_keys
    for name in TENSORS:
        delattr(module, name)
    facts["keeps"] = [name for name in TENSORS if hasattr(module, name)]
    return "; ".join(f"{name} {value}" for name, value in facts.items())


def _input() -> torch.Tensor:
    numbers = (0.5, 3.0, -1.0, 2.0, 7.0, 1.0, 4.0, -2.0, 0.0, 1.5, 6.0, -3.0)
    return torch.tensor(numbers).reshape(2, 3, 1, 2)


def _gradients(module: Any) -> Tuple[torch.Tensor, torch.Tensor]:
    """Return the input's gradient, and that through a doubling of the output in place."""
    found: List[torch.Tensor] = []
    for double in (False, True):
        x = _input().requires_grad_()
        y = module(x)
        if double:
            y.mul_(2)
        found.append(torch.autograd.grad((y * _input() ** 2).sum(), x)[0])
    return found[0], found[1]


def _unrecorded(module: Any) -> bool:
    """Whether an output that is not recorded can be a part of what is recorded later."""
    with torch.no_grad():
        y = module(_input())
    factor = torch.ones(2, 3, 1, 2, requires_grad=True)
    (y * factor).sum().backward()
    found: Any = factor.grad
    return bool(torch.equal(found, y))


def _in_mixed_precision(module: Any) -> str:
    """Return the dtype of an output in the context of mixed precision, where the release has it."""
    known = hasattr(torch, "autocast") and hasattr(torch, "set_autocast_cpu_enabled")
    autocast: Any = torch.autocast if known else lambda _, dtype: nullcontext()
    with autocast("cpu", dtype=torch.bfloat16):
        return str(module(_input()).dtype)


def _refusal(module: Any) -> str:
    try:
        module(_input().numpy())
    except Exception as error:  # its class is what is told
        return type(error).__name__
    return "none"


def calls(factory: Factory) -> str:
    """Tell what calls of new modules return in both modes, and what they leave behind."""
    module, facts = factory(3), []
    drawn = str(random.getstate()), str(np.random.get_state())
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for mode in (True, False):
            module.train(mode)
            x = _input()
            one, other = module(x), module(x)
            once, doubled = _gradients(module)
            facts += [
                type(one).__name__,
                _dense(one),
                one.data_ptr() != other.data_ptr(),
                torch.allclose(doubled, 2 * once, 1e-3, 1e-3),
                _unrecorded(module),
            ]
    facts += [len(warned), drawn == (str(random.getstate()), str(np.random.get_state()))]
    facts += [int(module.num_batches_tracked), _in_mixed_precision(module), _refusal(module)]
    return " ".join(map(str, facts))
