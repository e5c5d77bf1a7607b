"""What is remembered of a tensor serves again only while nothing about it has changed."""

from __future__ import annotations

from typing import Any, Callable

import pytest
import torch

from cases.inputs import batch
from cases.variants import Variant
from tests.subject.inputs import Input
from tests.subject.reading import Reader


def _moved(tensor: torch.Tensor) -> None:
    tensor.data = tensor.data.flip(0)


def _written(tensor: torch.Tensor) -> None:
    tensor.data[1] = 7.0


def _shorter(tensor: torch.Tensor) -> None:
    tensor.data = tensor.data[:2]


def _strided(tensor: torch.Tensor) -> None:
    tensor.data = tensor.data.expand(1, 3).t()[:, 0].as_strided((3,), (0,))


def _negative(tensor: torch.Tensor) -> None:
    tensor.data = torch._neg_view(tensor.data)


def _retyped(tensor: torch.Tensor) -> None:
    tensor.data = tensor.data.view(torch.int32)


def _trained(tensor: torch.Tensor) -> None:
    tensor.requires_grad_()


CHANGES = (_moved, _written, _shorter, _strided, _negative, _retyped, _trained)


@pytest.mark.parametrize("change", CHANGES)
def test_a_tensor_changed_behind_its_back_is_seen_so(change: Callable[[torch.Tensor], None]) -> None:
    """The same object, at the same address in most cases: NumPy's view of it must not be the old one."""
    tensor = torch.tensor([1.0, 2.0, 3.0])
    reader = Reader()
    before = reader.observe(tensor)
    assert reader.observe(tensor) is before
    change(tensor)
    after = reader.observe(tensor)
    assert after is not None
    assert after != before
    assert after == Reader().observe(tensor)


@pytest.mark.parametrize(
    "disturb",
    [
        lambda x: x.add_(1),
        lambda x: x.numpy().__setitem__((0, 0, 0, 0), 7.0),
        lambda x: x.transpose_(0, 1),
        lambda x: x.unsqueeze_(0),
        lambda x: x.requires_grad_(),
        lambda x: setattr(x, "data", x.data.clone()),
        lambda x: setattr(x, "data", x.data.double()),
    ],
    ids=["written", "written unseen", "transposed", "reshaped", "gradient", "other memory", "other dtype"],
)
def test_whatever_happens_to_an_input_is_seen(disturb: Callable[[torch.Tensor], Any]) -> None:
    given = Input(batch(Variant("bounded", "n8", "float32"), "b0"))
    assert not given.changed()
    disturb(given.tensor)
    assert given.changed()
