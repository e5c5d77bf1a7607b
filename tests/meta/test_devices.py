"""Devices, without having one: what is not moved there or not read back is noticed."""

from __future__ import annotations

import dataclasses
from typing import Any, List

import numpy as np
import pytest
import torch

from cases import catalogue
from cases.inputs import batch
from cases.variants import Variant
from oracle.numerics import devices as arithmetic
from oracle.numerics.formats import FORMATS
from oracle.numerics.statistics import statistics
from reports.rows import CONTRACT, FINDING, KNOWN_DEFECT, PASS
from tests.comparison.judgement import BUDGETED
from tests.meta import fakes, installed
from tests.meta.command import run
from tests.meta.fake_device import FAKE, There
from tests.subject import devices
from tests.subject.errors import DeviceError
from tests.subject.module import eager
from tests.verdict import result as results
from tests.verdict.verdict import Verdict, adjudicate

START = "steps-affine-track-momentum_0.1-bounded-n8-float32-"
RULES = installed.RULES.of_subject(False, FAKE.name)

PROGRAMS = (
    "preset,forward:b0,eval,forward:b1.channels_last,forward:b2.sliced",
    "preset,input_grad:b0.permuted,backward:ordinary,eval,input_grad:b1.expanded,backward:ones.scalar",
    "preset,input_grad:b0.shifted,retain:offset.sliced,backward:alternating.channels_last",
    "preset,input_grad:b0,accumulate:ordinary,zero_grad,forward:b1,accumulate:ones",
    "preset,input_grad:b0,double:ordinary:alternating,double:ones:offset",
    "attach:running_mean:tensor,attach:weight:trainable,attach:num_batches_tracked:tensor,forward:b0",
    "drop:weight,drop:running_var,forward:b0,set:momentum:none,count:3,forward:b1",
    "overwrite,forward:b0,reset_parameters,forward:b1,alias:running_var:weight,eval,forward:b0",
    "state_dict,forward:b0,load:plain,forward:b1,load:legacy,forward:b0",
    "load:assigned,forward:b0,requires_grad:false,forward:b1",
    "convert:double,forward:b0,no_grad:b1,forward:three_dims,forward:one_value",
    "attach:running_var:tensor.strided,forward:b0,forwards:b:3",
)
"""Programs with steps of every kind that has a tensor."""


def on_fake(subject: type, program: str, start: str = START) -> Verdict:
    case = catalogue.find(start + program)
    return adjudicate(case, eager(subject, device=FAKE), RULES, strict_defects=False)


def test_the_fake_device_refuses_what_a_device_refuses() -> None:
    here, there = torch.ones(2), FAKE.to(torch.ones(2))
    assert isinstance(there + there, There)
    assert type(there.cpu()) is torch.Tensor
    with pytest.raises(RuntimeError, match="same device"):
        there + here
    with pytest.raises(TypeError, match="numpy"):
        there.numpy()


@pytest.mark.parametrize("program", PROGRAMS)
def test_torch_conforms_on_a_device(program: str) -> None:
    """Everything that a program touches is moved there, and everything that is compared is read back."""
    decided = on_fake(installed.BATCH_NORM, program)
    assert decided.outcome in (PASS, KNOWN_DEFECT), decided.explanation


def test_the_numbers_of_a_device_are_compared() -> None:
    decided = on_fake(fakes.NoEps, "forward:b0")
    assert decided.outcome == FINDING
    assert decided.result.findings[0].mismatch.quantity == "output"


class LeavesOutputBehind(fakes.Base):
    """Returns the output on the CPU."""

    def forward(self, x: Any) -> Any:
        return super().forward(x).cpu()


class LeavesMeanBehind(fakes.Base):
    """Keeps the running mean on the CPU after a forward."""

    def forward(self, x: Any) -> Any:
        y = super().forward(x)
        self.running_mean = self.running_mean.cpu()  # type: ignore[union-attr]
        return y


class ForgetsToMove(fakes.Base):
    """Adds a tensor that it makes on the CPU."""

    def forward(self, x: Any) -> Any:
        return super().forward(x) + torch.zeros(x.shape[-1])


@pytest.mark.parametrize(
    ("subject", "quantity", "got"),
    [
        (LeavesOutputBehind, "output_dtype", "'float32 on cpu'"),
        (LeavesMeanBehind, "running_mean dtype", "'float32 on cpu'"),
        (ForgetsToMove, "exception", "RuntimeError: Expected all tensors to be on the same device: fake and cpu"),
    ],
)
def test_what_is_left_behind_is_a_finding(subject: type, quantity: str, got: str) -> None:
    decided = on_fake(subject, "forward:b0")
    mismatch = decided.result.findings[0].mismatch
    assert (mismatch.quantity, mismatch.got) == (quantity, got)


def test_an_input_that_the_suite_forgets_to_move_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FAKE.__class__, "to", lambda self, tensor: tensor)
    assert on_fake(installed.BATCH_NORM, "forward:b0").outcome == FINDING


# --- budgets ---------------------------------------------------------------------------------


def test_a_device_is_allowed_more_where_its_maker_guarantees_less() -> None:
    wide = FORMATS["float32"]
    assert arithmetic.extra("cpu", wide) == (0, 0)
    assert arithmetic.extra("cuda", wide) == arithmetic.extra("cuda:3", wide) == (3, 1)
    assert arithmetic.extra("mps", wide) == (5, 4)
    assert arithmetic.extra("xpu", wide) == arithmetic.extra("anything", wide) == (9, 4)
    assert arithmetic.extra("cuda", FORMATS["float16"].arithmetic) == (3, 1)


def shares(device: str) -> List[float]:
    """Return the largest share of its budget that each quantity of torch's own module uses."""
    case = catalogue.find(START + "preset,input_grad:b0,backward:outlier,eval,input_grad:b1,backward:ones")
    found = results.run(case, eager(installed.BATCH_NORM), installed.RULES.of_subject(False, device))
    assert not found.findings
    return [max(map(abs, found.margins[name].share)) for name in BUDGETED if name in found.margins]


def test_the_budgets_of_a_device_are_wider_by_a_few_roundings() -> None:
    """Every quantity of a forward and a backward knows the device; none becomes loose."""
    cpu, other = shares("cpu"), shares("xpu")
    assert len(cpu) >= 5
    assert all(a >= b for a, b in zip(cpu, other))
    assert sum(a > b for a, b in zip(cpu, other)) >= 3
    assert all(a <= 4 * b for a, b in zip(cpu, other))


@pytest.mark.parametrize("device", ["cuda", "mps", "xpu"])
def test_statistics_with_an_inexact_quotient_stay_within_the_budget(device: str) -> None:
    """Means and variances computed with a quotient that is off by its guaranteed error conform."""
    given = batch(Variant("bounded", "n30"), "b0")
    allowed = arithmetic.extra(device, FORMATS["float32"])
    off = np.float32(1 + (1 + 2 * allowed.quotient) * 2.0**-25)
    found = statistics(given, False, device=device)
    rows = given.values.transpose(1, 0, 2, 3).reshape(given.values.shape[1], -1).astype(np.float32)
    means = (rows.sum(axis=1, dtype=np.float32) / np.float32(rows.shape[1])) * off
    assert (np.abs(means - found.mean.values) <= found.mean.budget).all()


# --- a device that is not there ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("meta", "'meta' cannot be used with torch"),
        ("Toaster 3", "'Toaster 3': accepted is a device of torch, as in cpu, cuda"),
        ("toaster", "'toaster' cannot be used with torch"),
    ],
)
def test_a_device_that_is_not_there_is_refused_in_one_line(name: str, said: str) -> None:
    with pytest.raises(DeviceError) as caught:
        devices.device(name)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_the_refusal_ends_the_run_with_status_4() -> None:
    ran = run("--device", "meta", "--tier", "smoke")
    assert ran.status == 4
    assert "--device 'meta' cannot be used with torch" in ran.output
    adapter = run("--device", "meta", "--subject", "tests.subject.adapters.numpy_port:NumpyPort")
    assert adapter.status == 4
    assert "an adapter chooses its own" in adapter.output


def test_what_a_device_lacks_is_a_contract() -> None:
    """A module that refuses float64 as MPS does is within the contract, and outside of it a finding."""

    class Narrow(fakes.Base):
        def to(self, *args: Any, **kwargs: Any) -> Any:
            if torch.float64 in args:
                raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64.")
            return super().to(*args, **kwargs)

    case = catalogue.find(START.replace("float32", "float64") + "forward:b0")
    subject = dataclasses.replace(eager(Narrow), contract=devices.CONTRACTS["mps"])
    assert adjudicate(case, subject, installed.RULES, strict_defects=False).outcome == CONTRACT
    willing = dataclasses.replace(subject, observe=eager(installed.BATCH_NORM).observe)
    decided = adjudicate(case, willing, installed.RULES, strict_defects=False)
    assert decided.outcome == FINDING
    assert "no_float64" in decided.result.findings[0].mismatch.expected
