"""Tries modules that the class under test makes: what a call leaves behind, what is refused, and how."""

from __future__ import annotations

import gc
import random
import sys
import warnings
import weakref
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import torch

Factory = Callable[..., Any]

REFUSALS = (TypeError, ValueError, KeyError, AttributeError, RuntimeError)
"""The exceptions by which a module refuses an argument, a name or a value."""

_LEADING = (3, 1e-5, 0.1, True, True)
"""The arguments that every release takes by position."""


def _input(requires_grad: bool = False) -> torch.Tensor:
    numbers = (0.5, 3.0, -1.0, 2.0, 7.0, 1.0, 4.0, -2.0, 0.0, 1.5, 6.0, -3.0)
    return torch.tensor(numbers).reshape(2, 3, 1, 2).requires_grad_(requires_grad)


def _dense(tensor: torch.Tensor) -> bool:
    """Whether the tensor is contiguous, and alone in its storage."""
    storage: Any = getattr(tensor, "untyped_storage", tensor.storage)()  # the first is of torch 2.0
    size = len(storage) if hasattr(tensor, "untyped_storage") else len(storage) * tensor.element_size()
    return tensor.is_contiguous() and size == tensor.numel() * tensor.element_size()


def _frees(module: Any) -> bool:
    """Whether nothing keeps an input, or an output, that is needed no more."""
    for mode in (True, False):
        module.train(mode)
        x = _input(True)
        y = module(x)
        y.sum().backward()
        kept = [weakref.ref(each) for each in (x, y)]
        del x, y
        if any(each() is not None for each in kept):
            gc.collect()
        if any(each() is not None for each in kept):
            return False
    return True


def _apart(module: Any) -> bool:
    """Whether output and gradients have dense memory that is theirs alone, and no output is a view."""
    for mode in (True, False):
        module.train(mode)
        x = _input(True)
        y: Any = module(x)
        found = torch.autograd.grad(y, (x, module.weight, module.bias), _input())
        places = {each.data_ptr() for each in (x, y, module.weight, module.bias, *found)}
        if len(places) < 7 or y._base is not None or not all(map(_dense, found)):
            return False
    return True


def _blanket() -> List[str]:
    """Return the actions of the filters of warnings that are for every warning of every module."""
    found: List[Any] = list(warnings.filters)
    return [each[0] for each in found if each[1] is None and each[2] is Warning and each[3] is None]


def _process() -> Tuple[Any, ...]:
    """Return settings of the process that no call may change."""
    shown: Any = torch._tensor_str
    options = dict(shown.PRINT_OPTS.__dict__)
    drawn = str(random.getstate()), str(np.random.get_state())
    return gc.isenabled(), sys.getrecursionlimit(), _blanket(), options, drawn


def _restore(process: Tuple[Any, ...]) -> None:
    """Write settings back, those of the warnings apart."""
    (gc.enable if process[0] else gc.disable)()
    sys.setrecursionlimit(process[1])
    shown: Any = torch._tensor_str
    shown.PRINT_OPTS.__dict__.clear()
    shown.PRINT_OPTS.__dict__.update(process[3])


def _used(module: Any) -> None:
    """Call the module in both modes, differentiate it, and reset it."""
    for mode in (True, False):
        module.train(mode)
        module(_input(True)).sum().backward()
        with torch.no_grad():
            module(_input())
    module.zero_grad()
    module.reset_parameters()


def _outcome(call: Callable[[], object]) -> str:
    """Return the class of what is raised, or the text of what is returned."""
    try:
        return str(call())
    except REFUSALS as error:
        return type(error).__name__


def _mode(module: Any, value: object) -> str:
    """Return what comes of ``train`` with this value, and the mode afterwards."""
    outcome = _outcome(lambda: module.train(value) is module)
    return f"{outcome} {module.training!r}"


def _registered(module: Any) -> List[str]:
    """Return what comes of registering tensors and modules, some of them under names that are refused."""
    if not hasattr(module, "weight"):
        module.register_parameter("weight", None)
    new = torch.zeros(2)
    calls: Tuple[Callable[[], object], ...] = (
        lambda: module.register_buffer("weight", new),
        lambda: module.register_buffer("a.b", new),
        lambda: module.register_buffer("", new),
        lambda: module.register_buffer("samples", 1),
        lambda: module.register_parameter("own", new),
        lambda: module.add_module("weight", torch.nn.ReLU()),
        lambda: module.register_buffer("more", new),
        lambda: module.add_module("part", torch.nn.PReLU()),
        lambda: [name for name in module.state_dict() if name[:4] in ("more", "part")],
        lambda: [name for name, _ in module.named_parameters() if name[:4] == "part"],
        lambda: [type(each).__name__ for each in module.children()],
        lambda: module.eval().part.training,
        lambda: module.absent,
    )
    return [_outcome(call) for call in calls]


def _as_any_module(made: Factory) -> bool:
    """Whether what every module has is as in an empty one: modes, and what can be registered."""
    values: Tuple[object, ...] = ("yes", 1, 0, None, "", True)
    modes = [[_mode(each, value) for value in values] for each in (made(), torch.nn.Module())]
    one, other = map(_registered, (made(), torch.nn.Module()))
    return modes[0] == modes[1] and one == other


def _numbers(factory: Factory) -> bool:
    """Whether numbers of NumPy, which are Python's, do as eps and momentum."""
    one, other = factory(3, eps=np.float64(0.5), momentum=np.float64(0.5)), factory(3, 0.5, 0.5)
    x = _input()
    return bool(torch.equal(one(x), other(x)) and torch.equal(one.running_var, other.running_var))


def _placed(factory: Factory) -> bool:
    """Whether device and dtype by position are what they are by keyword, also where both are refused."""
    dtype = torch.float64
    position = _outcome(lambda: factory(*_LEADING, None, dtype).weight.dtype)
    return position == _outcome(lambda: factory(3, device=None, dtype=dtype).weight.dtype)


def _functions(module: Any) -> bool:
    """Whether torch.func.grad gives the gradients of parameters; True where the release lacks it."""
    functions: Any = getattr(torch, "func", None)
    if functions is None:
        return True
    parameters = {name: each.detach() for name, each in module.named_parameters()}
    x = _input()

    def loss(given: Any) -> Any:
        return (functions.functional_call(module, given, (x,)) * x**2).sum()

    got = functions.grad(loss)(parameters)
    (module(x) * x**2).sum().backward()
    return all(torch.allclose(got[name], each.grad) for name, each in module.named_parameters())


def habits(factory: Factory) -> str:
    """Tell what new modules leave behind, what they refuse, and what they have in common with others."""

    def made() -> Any:
        return factory(3)

    facts: Dict[str, object] = {}
    with warnings.catch_warnings():
        process = _process()
        module = made()
        known = set(vars(module))
        _used(module)
        facts["attributes"] = sorted(set(vars(module)) - known)
        facts["process"] = _process() == process
    _restore(process)
    facts["frees"] = _frees(made())
    facts["apart"] = _apart(made())
    facts["unknown"] = _outcome(lambda: factory(3, other=1))
    facts["eighth"] = _outcome(lambda: type(factory(*_LEADING, None, None, True)))
    facts["placed"] = _placed(factory)
    facts["module"] = _as_any_module(made)
    facts["numbers"] = _numbers(factory)
    loaded: Any = made().load_state_dict(made().state_dict())
    facts["keys"] = [loaded.missing_keys, loaded.unexpected_keys]
    facts["functions"] = _functions(made().eval())
    return "; ".join(f"{name} {value}" for name, value in facts.items())
