"""Tests of the layouts of inputs: the strides and the memory format of every layout are torch's."""

from __future__ import annotations

import itertools
from typing import Tuple

import pytest
import torch

from cases.inputs.layouts import memory_format, strides, strides_of_view, suggested_format
from cases.variants import EVERY_LAYOUT, SHAPES
from tests.subject.inputs import LAYOUTS

MOST = 5000
"""The largest number of elements of a shape that is tried."""

LENGTHS = tuple(itertools.product((1, 2, 3), (1, 2), (1, 2, 3), (1, 2)))
"""Shapes with dimensions of size 1 in every combination."""

TRIED = tuple({*LENGTHS, *(shape for shape in SHAPES.values() if torch.Size(shape).numel() <= MOST)})


def laid_out(shape: Tuple[int, ...], layout: str) -> torch.Tensor:
    return LAYOUTS[layout](torch.arange(float(torch.Size(shape).numel())).reshape(shape))


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
def test_strides_are_those_of_the_tensor(layout: str) -> None:
    for shape in TRIED:
        found = laid_out(shape, layout).stride()
        matter = [each for each, size in enumerate(shape) if size != 1]
        assert [strides(shape, layout)[each] for each in matter] == [found[each] for each in matter], shape


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
def test_memory_format_is_what_torch_says(layout: str) -> None:
    for shape in TRIED:
        tensor = laid_out(shape, layout)
        last = tensor.is_contiguous(memory_format=torch.channels_last)
        expected = "contiguous" if tensor.is_contiguous() else "channels_last" if last else "other"
        assert memory_format(shape, layout) == expected, shape


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
def test_strides_of_a_view_are_those_that_torch_gives(layout: str) -> None:
    for shape in TRIED:
        tensor = laid_out(shape, layout)
        assert strides_of_view(shape, tensor.stride()) == tensor.view_as(tensor).stride(), shape


@pytest.mark.parametrize("layout", EVERY_LAYOUT)
@pytest.mark.parametrize("view", [False, True])
def test_suggested_format_is_that_of_an_output(layout: str, view: bool) -> None:
    for shape in TRIED:
        statistics = torch.zeros(shape[1]), torch.ones(shape[1])
        given = laid_out(shape, layout)
        given = given.view_as(given) if view else given
        output = torch.nn.functional.batch_norm(given, *statistics)
        last = suggested_format(shape, layout, given.stride()) == "channels_last"
        wanted = torch.channels_last if last else torch.contiguous_format
        assert output.is_contiguous(memory_format=wanted), shape
