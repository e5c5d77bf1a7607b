"""Outside of its circumstances a known defect is an ordinary finding."""

from __future__ import annotations

from typing import Iterator, Type

import pytest
import torch
from torch import Tensor

from reports.rows import FINDING, KNOWN_DEFECT, PASS
from tests.meta import fakes, installed


class AcceptsAnyChannels(torch.nn.BatchNorm2d):
    """Returns an input whose number of channels is wrong, with elements or without."""

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() == 4 and input.shape[1] != self.num_features:
            return input.clone()
        return super().forward(input)


class RaisesIndexError(torch.nn.BatchNorm2d):
    """Raises the exception of a module without channels whatever its channels."""

    def forward(self, input: Tensor) -> Tensor:
        super().forward(input)
        raise IndexError("index 0 out of range for tensor of size [0]")


class ZeroesLargeVariances(torch.nn.BatchNorm2d):
    """Returns the bias alone for a channel whose variance is above 1e6."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        large = input.detach().var((0, 2, 3)) > 1e6
        bias = torch.zeros(self.num_features) if self.bias is None else self.bias.detach()
        output.data[:, large] = bias[large].reshape(1, -1, 1, 1)
        return output


class PlainSumsEverywhere(torch.nn.BatchNorm2d):
    """Sums contiguous float32 inputs value by value in float32, as torch does for channels_last ones."""

    def forward(self, input: Tensor) -> Tensor:
        laid_out = input.contiguous(memory_format=torch.channels_last)
        return super().forward(laid_out).contiguous()


@pytest.mark.parametrize(
    ("subject", "case_id"),
    [
        (AcceptsAnyChannels, "edge-shape-wrong_channels_bare"),
        (RaisesIndexError, "edge-counter-large"),
        (ZeroesLargeVariances, "steps-affine-track-momentum_0.1-bounded-n8-float32-forward:b0"),
        (PlainSumsEverywhere, "steps-affine-track-momentum_1.0-bounded-n4096-float32-forward:b0"),
    ],
    ids=["channels", "features", "variance", "sums"],
)
def test_what_looks_like_a_defect_elsewhere_is_an_ordinary_finding(
    subject: Type[fakes.Base], case_id: str
) -> None:
    for strict in (True, False):
        decided = installed.judged(case_id, subject, strict_defects=strict)
        assert (decided.outcome, decided.defect) == (FINDING, None), decided
        assert "known defect" not in decided.explanation


# --- threads ----------------------------------------------------------------------------------


@pytest.fixture
def threads() -> Iterator[None]:
    """Restore torch's number of threads after the test."""
    yield
    torch.set_num_threads(1)


PROGRAMS = (
    "forward:b0.channels_last",
    "preset,forward:b0.channels_last,forward:b1.channels_last,eval,forward:b0.channels_last",
    "forward:constant.channels_last,forward:three_tenths.channels_last",
)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", ["n4096", "n102400"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_inputs_are_a_known_defect_or_right_with_any_number_of_threads(
    dtype: str, shape: str, number: int
) -> None:
    torch.set_num_threads(number)
    for program in PROGRAMS:
        for momentum in ("momentum_1.0", "momentum_none"):
            case_id = f"steps-affine-track-{momentum}-bounded-{shape}-{dtype}-{program}"
            decided = installed.judged(case_id, installed.BATCH_NORM, threads=torch.get_num_threads())
            assert decided.outcome in (PASS, KNOWN_DEFECT), decided.explanation


@pytest.mark.usefixtures("threads")
def test_the_number_of_threads_is_one_of_the_circumstances() -> None:
    """A sum by one thread differs from a sum by two."""
    case_id = "edge-constant-constant_channels_last_n102400"
    torch.set_num_threads(1)
    assert installed.judged(case_id, installed.BATCH_NORM, threads=1).outcome == KNOWN_DEFECT
    assert installed.judged(case_id, installed.BATCH_NORM, threads=2).outcome == FINDING
    torch.set_num_threads(2)
    assert installed.judged(case_id, installed.BATCH_NORM, threads=2).outcome == KNOWN_DEFECT
    assert installed.judged(case_id, installed.BATCH_NORM, threads=1).outcome == FINDING
