"""Observation: whatever happens to a tensor or to an input shows in it."""

from __future__ import annotations

from typing import Any, Callable, Optional, Tuple

import numpy as np
import pytest
import torch

from cases.inputs import batch
from cases.variants import LAYOUTS, Variant
from tests.subject.inputs import Input
from tests.subject.observation import ObservedTensor
from tests.subject.reading import Unreadable, attribute, observed


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


def facts(seen: Optional[ObservedTensor]) -> Tuple[object, ...]:
    """Return everything that is observed of a tensor, as values that can be compared."""
    assert seen is not None
    return (seen.values.tobytes(), seen.values.shape, seen.values.dtype, *seen[1:])


@pytest.mark.parametrize("change", CHANGES)
def test_a_tensor_changed_behind_its_back_is_seen_so(change: Callable[[torch.Tensor], None]) -> None:
    """The Python object, and in most cases its address, stay the same."""
    tensor = torch.tensor([1.0, 2.0, 3.0])
    before = observed(tensor)
    assert facts(observed(tensor)) == facts(before)
    kept = facts(before)
    change(tensor)
    assert facts(observed(tensor)) != kept
    assert facts(before) == kept


def test_an_observation_is_a_copy() -> None:
    tensor = torch.tensor([1.0, 2.0, 3.0])
    before = observed(tensor)
    assert before is not None
    tensor.fill_(9.0)
    assert before.values.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("a text", "no tensor but 'a text'"),
        (3, "no tensor but 3"),
        (Unreadable("KeyError: 'gone'"), "KeyError: 'gone'"),
        (torch.empty(2, device="meta"), "Error: "),
        (torch.eye(2).to_sparse(), "Error: "),
    ],
    ids=["text", "number", "unreadable", "meta", "sparse"],
)
def test_what_is_no_readable_tensor_says_what_it_is(value: object, says: str) -> None:
    seen = observed(value)
    assert seen is not None
    assert says in seen.dtype
    assert seen.values.size == 0


def test_numbers_that_numpy_lacks_are_seen_in_float64() -> None:
    seen = observed(torch.tensor([1.5, -2.0], dtype=torch.bfloat16))
    assert seen is not None
    assert (seen.dtype, seen.values.dtype) == ("bfloat16", np.dtype(np.float64))
    assert seen.values.tolist() == [1.5, -2.0]


def test_an_attribute_that_cannot_be_read_says_why() -> None:
    assert attribute(torch.nn.BatchNorm2d(3), "eps") == 1e-5
    missing = attribute(object(), "eps")
    assert isinstance(missing, Unreadable)
    assert "AttributeError" in missing


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


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_input_is_new_and_lies_as_asked(layout: str) -> None:
    """Nothing that is done to one input can reach another, or the batch that they are made of."""
    given = batch(Variant("bounded", "n8", "float32"), f"b0.{layout}")
    kept = given.values.copy()
    one, other = Input(given), Input(given)
    assert one.tensor.data_ptr() != other.tensor.data_ptr()
    one.tensor.fill_(7.0) if layout != "expanded" else one.tensor[0].fill_(7.0)
    assert one.changed()
    assert not other.changed()
    assert not given.values.flags.writeable
    assert (given.values == kept).all()
    assert (Input(given).tensor.numpy() == kept).all()
