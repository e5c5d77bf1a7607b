"""Scripts of programs that add to .grad or differentiate gradients."""

from __future__ import annotations

from typing import Tuple

import pytest

from cases import catalogue
from cases.derivatives import GRADIENTS, JVPS, NESTED, VJPS
from oracle.expected_derivatives import SECONDS
from tests.failure import replay
from tests.failure.reproduction import reproduce
from tests.failure.runner import Runner
from tests.failure.script import FailingProgram, script
from tests.meta import installed
from tests.meta.liars import LIARS
from tests.meta.test_script import TORCH, finding
from tests.subject.module import eager, observe
from tests.verdict.result import run

START = "steps-affine-track-momentum_0.1-bounded-n8-float32-"
INDICES = {"input": (1, 5, 0, 1), "upstream": (0, 3, 1, 1), "weight": (3,), "bias": (4,)}

ACCUMULATING = (
    "preset,input_grad:b0,accumulate:ordinary",
    "input_grad:b0.channels_last,accumulate_retain:ordinary,accumulate:ones.scalar",
    "input_grad:b0,accumulate:offset,inference:b1,zero_grad,eval,input_grad:b1,accumulate:outlier",
    "input_grad:b0.permuted,accumulate:ordinary,show:keys",
)
DOUBLE = (
    "preset,input_grad:b0,double:ordinary:offset",
    "preset,eval,input_grad:b0,double:ordinary:ones.expanded",
    "preset,eval,input_grad:b0,triple:ordinary:ones:offset",
)


def printed(program: str, quantity: str, index: Tuple[int, ...] = ()) -> str:
    """Return what a script prints as got, for a program that ends with a finding."""
    case = catalogue.find(START + program)
    text = script(FailingProgram(case, finding(quantity, len(case.steps), index), (), {}), TORCH)
    return replay.got(replay.printed(text))


@pytest.mark.parametrize("program", ACCUMULATING)
@pytest.mark.parametrize("name", GRADIENTS)
def test_a_grad_of_a_script_is_that_of_the_suite(program: str, name: str) -> None:
    """The .grad of the script and that of the suite agree to the last bit, with torch's own module."""
    grads = dict(observe(catalogue.find(START + program), installed.BATCH_NORM)[-1].grads)
    value = grads[name].values[INDICES[name]].item()
    assert printed(program, f"{name}.grad", INDICES[name]) == repr(value)
    assert printed(program, f"{name}.grad dtype") == repr("float32")
    assert printed(program, f"{name}.grad strides") == "True"
    assert printed(program, "grads present") == repr(GRADIENTS)


@pytest.mark.parametrize("program", DOUBLE)
@pytest.mark.parametrize("name", SECONDS)
def test_a_second_derivative_of_a_script_is_that_of_the_suite(program: str, name: str) -> None:
    kind = "3rd" if "triple" in program else "2nd"
    quantity = f"{name} {kind} gradient"
    found = dict(observe(catalogue.find(START + program), installed.BATCH_NORM)[-1].derivatives)
    value = found[quantity].values[INDICES[name]].item()
    assert printed(program, quantity, INDICES[name]) == repr(value)
    assert printed(program, f"{quantity} shape") == repr(found[quantity].values.shape)
    assert printed(program, "derivatives present") == repr(tuple(found))


@pytest.mark.skipif(installed.RULES.release < (2, 0), reason="torch.func begins with torch 2.0")
@pytest.mark.parametrize("way", [*JVPS, *VJPS, *NESTED])
def test_a_call_in_a_script_is_that_of_the_suite(way: str) -> None:
    """Tangent and gradient of a function that calls the module, and the output beside them, agree."""
    program = f"preset,set:track_running_stats:false,{way}:b0:ordinary"
    got = observe(catalogue.find(START + program), installed.BATCH_NORM)[-1]
    found = got.derivatives[0][1] if got.derivatives else (got.gradients or ())[0]
    assert found is not None
    assert got.output is not None
    quantity = got.derivatives[0][0] if got.derivatives else "input gradient"
    value = found.values[INDICES["input"]].item()
    assert printed(program, quantity, INDICES["input"]) == repr(value)
    assert printed(program, "output", INDICES["input"]) == repr(got.output.values[INDICES["input"]].item())


@pytest.mark.parametrize(
    ("name", "program", "quantity"),
    [
        ("WeightGradOverwritten", "forward:b0,accumulate:ordinary,forward:b1,accumulate:ones", "weight.grad"),
        ("GradsOnBuffers", "forward:b0,accumulate:ones", "grads present"),
        ("DeviationTermConstant", "preset,input_grad:b0,double:ordinary:offset", "input 2nd gradient"),
        ("NotCountedInInference", "forward:b0,inference:b1", "num_batches_tracked"),
    ],
)
def test_what_liars_do_to_grads_has_a_script(name: str, program: str, quantity: str) -> None:
    subject = LIARS[name].factory
    result = run(catalogue.find(START + program), eager(subject), installed.RULES)
    again = reproduce(
        result, Runner(eager(subject, f"{subject.__module__}:{name}"), installed.RULES, fresh=False)
    )
    assert again.script is not None, again.remark
    assert again.program is not None
    assert again.program.finding.mismatch.quantity == quantity
