"""Scripts of programs with backward steps."""

from __future__ import annotations

from typing import Tuple

import pytest

from cases import catalogue
from cases.derivatives import GRADIENTS
from tests.failure import replay
from tests.failure.reproduction import Reproduction, reproduce
from tests.failure.runner import Runner
from tests.failure.script import FailingProgram, script
from tests.meta import failing, installed
from tests.meta.test_script import TORCH, finding
from tests.subject.module import eager, observe
from tests.verdict.result import run
from tests.verdict.verdict import adjudicate

START = "steps-affine-track-momentum_0.1-bounded-n8-float32-"

PROGRAMS = (
    "input_grad:b0,backward:ordinary",
    "input_grad:b0,backward:outlier.channels_last",
    "input_grad:b0,backward:ones.scalar",
    "input_grad:b0.channels_last,backward:ordinary",
    "input_grad:b0,input_grad:b1,earlier:ordinary",
    "input_grad:b0,retain:constant,backward:alternating",
    "eval,forward:b0,backward:tiny",
    "preset,eval,input_grad:b0,forward:one_value,forward:wrong_channels,backward:like_input",
)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("place", "index"), [(0, (1, 5, 0, 1)), (1, (3,)), (2, (4,))])
def test_a_gradient_of_a_script_is_that_of_the_suite(
    program: str, place: int, index: Tuple[int, ...]
) -> None:
    """The gradient of the script and that of the suite agree to the last bit, with torch's own module."""
    case = catalogue.find(START + program)
    observations = observe(case, installed.BATCH_NORM)
    gradients = observations[-1].gradients
    assert gradients is not None
    gradient = gradients[place]
    raising = tuple(number for number, each in enumerate(observations) if each.raised)
    if gradient is None:  # an ordinary forward's input has no gradient; this is compared, too
        found = finding(f"{GRADIENTS[place]} gradient present", len(case.steps))
        assert replay.got(replay.printed(script(FailingProgram(case, found, raising, {}), TORCH))) == "False"
        return
    found = finding(f"{GRADIENTS[place]} gradient", len(case.steps), index)
    text = script(FailingProgram(case, found, raising, {}), TORCH)
    assert replay.got(replay.printed(text)) == repr(gradient.values[index].item()), text


def reproduced(subject: object, program: str) -> Reproduction:
    result = run(catalogue.find(START + program), eager(subject), installed.RULES)
    assert result.findings
    name = f"tests.meta.failing:{subject.__name__}"
    return reproduce(result, Runner(eager(subject, name), installed.RULES, fresh=False))


def test_a_wrong_gradient_has_a_short_script() -> None:
    again = reproduced(failing.InputGradientDoubled, "preset,forward:b1,input_grad:b0,backward:ordinary.expanded")
    assert again.script is not None, again.remark
    assert again.program is not None
    assert again.program.finding.mismatch.quantity == "input gradient"
    assert len(again.program.case.steps) <= 3


def test_a_missing_gradient_has_a_script() -> None:
    again = reproduced(failing.BiasHasNoGradient, "eval,forward:b0,backward:ordinary")
    assert again.script is not None, again.remark
    assert replay.printed(again.script) == "got      False\nexpected True\n"


def test_a_finding_beside_a_known_defect_has_a_script() -> None:
    """Against what is right alone, the known defect is what the program shows first."""
    program = "preset,input_grad:b0.sliced,backward:ordinary"
    case = catalogue.find(START.replace("float32", "float16") + program)
    subject = eager(failing.InputGradientDoubled, "tests.meta.failing:InputGradientDoubled")
    verdict = adjudicate(case, subject, installed.RULES, strict_defects=False)
    assert verdict.result.findings[0].mismatch.quantity == "input gradient"
    assert run(case, subject, installed.RULES).findings[0].mismatch.quantity == "output"
    again = reproduce(verdict.result, Runner(subject, installed.RULES, fresh=False))
    assert again.script is not None, again.remark
