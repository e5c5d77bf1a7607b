"""torch itself on portable vectors: it passes, except where a flag says that it has a defect."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, Tuple

import numpy as np
import pytest
import torch

from oracle.semantics import parse_release, semantics
from reports.vectors.flags import TORCH_DEFECT, flags
from tests.meta.vectors_here import NEWEST, cases_in, counts, load_module, smoke

TENSORS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


class Port:
    """torch's module behind the interface of the consumer in NumPy."""

    lacks = frozenset({"BFloat16", "DelayedBackward", "HugeCounter"})
    """NumPy has no bfloat16; autograd refuses a backward after a reset in place; the text of a huge counter."""

    def __init__(self, config: Dict[str, Any], dtype: str) -> None:
        module = torch.nn.BatchNorm2d(**config).to(getattr(torch, dtype))
        self.__dict__.update(module=module, dtype=dtype)

    def __getattr__(self, name: str) -> Any:
        """Return a flag or method of the module, or the contents of a tensor."""
        value = getattr(self.module, name)
        if name not in TENSORS or value is None:
            return value
        return int(value) if name == "num_batches_tracked" else value.detach().double().numpy()

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign a flag; bind a tensor to new contents, so that an earlier forward keeps the old ones."""
        if name in TENSORS and value is not None:
            value = torch.as_tensor(value)
            value = torch.nn.Parameter(value) if name in ("weight", "bias") else value
        setattr(self.module, name, value)

    def forward(self, x: np.ndarray) -> Tuple[np.ndarray, Any]:
        """Return the output, and the tensors of which a backward gives the gradients."""
        given = torch.from_numpy(x).requires_grad_()
        output = self.module(given)
        return output.detach().double().numpy(), (output, given, self.module.weight, self.module.bias)

    def backward(self, saved: Any, upstream: np.ndarray) -> Dict[str, np.ndarray]:
        """Return the gradients by name."""
        output, *leaves = saved
        names = [name for name, leaf in zip(("input", "weight", "bias"), leaves) if leaf is not None]
        there = [leaf for leaf in leaves if leaf is not None]
        found = torch.autograd.grad(
            output, there, torch.from_numpy(upstream).to(output.dtype), retain_graph=True
        )
        return {f"grad_{name}": gradient.double().numpy() for name, gradient in zip(names, found)}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.skipif(
    semantics(parse_release(torch.__version__)).holding != semantics(NEWEST).holding,
    reason=f"the vectors are by the rules of torch {NEWEST[0]}.{NEWEST[1]}; install a torch with the same rules",
)
def test_torch_passes_but_for_its_known_defects(capsys: pytest.CaptureFixture[str]) -> None:
    failed = load_module("numpy_consumer").try_port(str(smoke().folder), Port)
    printed = capsys.readouterr().out
    defects = {each.name for each in flags(NEWEST) if each.kind == TORCH_DEFECT}
    with_defect = {test["id"] for _, test in cases_in() if defects & set(test["flags"])}
    failing = set(re.findall(r"^FAILED (\S+)$", printed, re.MULTILINE))
    assert len(failing) == failed
    assert failing <= with_defect, printed[:2000]
    assert {"edge-empty-wrong_channels", "edge-nonfinite-overflowing"} <= failing
    assert counts(printed)["passed"] > 500
